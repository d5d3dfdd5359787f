"""From what is configured to what is wrong with it; pure, and nothing is broken for it."""

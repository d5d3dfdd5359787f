"""What to ask and how to read the answer: one probe a file, an explicit catalogue."""

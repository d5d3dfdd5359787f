"""Live configuration → the bounds that it implies. Pure: text in, numbers out."""

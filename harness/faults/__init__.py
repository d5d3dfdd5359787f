"""Faults, one a file, in an explicit catalogue; arrangements beside them."""

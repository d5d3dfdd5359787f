"""Arrangements that lay a worse copy over a configuration file and have it read again."""

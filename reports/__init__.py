"""Renderings of a stored verdict; they know no cluster and no run directory."""

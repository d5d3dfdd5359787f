"""Named worse states, one file each, for negative controls and audits; listed in catalogue.py."""

"""The run directory: the whole truth about a run, in plain files."""

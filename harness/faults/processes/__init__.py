"""Faults that end or stop the processes of a component, whichever way it is run."""

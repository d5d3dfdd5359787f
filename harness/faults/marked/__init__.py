"""What changes an object of the API carries its run's mark, and only what carries it is undone."""

"""The sampler: a process of its own that asks at fixed times and writes down what it saw."""

"""A mouse filmed from below, for the tour, the tests and the benchmarks. Knows nothing of data/."""

"""Benchmarks: each prints its figure beside a yardstick measured in the same run, as a ratio."""

"""Benchmarks for development: they want Chromium, or compare with reference programs."""

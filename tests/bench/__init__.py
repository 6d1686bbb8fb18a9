"""Benchmarks, as ratios to a reference measured in the same run: `uv run python -m tests.bench`."""

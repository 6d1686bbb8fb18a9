"""ccship ships every Claude Code turn to Langfuse: exactly once, with the real times and the true cost."""

__version__ = "0.1.0"

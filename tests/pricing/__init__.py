"""The prices of tokens."""

"""Turns as observations: ids, tokens, line outcomes."""

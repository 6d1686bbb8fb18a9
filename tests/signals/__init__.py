"""Signals of turns."""

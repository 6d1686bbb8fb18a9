"""Crashes, kills and crowds: nothing is lost, nothing is doubled, one worker per session at a time."""

"""Compares Langfuse's observations with the transcripts. Never sends anything."""

"""Transcripts: bytes -> records -> turns.

Reads growing JSONL files. Writes nothing and depends on no settings.
"""

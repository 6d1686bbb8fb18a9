"""Transcripts: lines to records to turns."""

"""Counts calls, tokens and cost in transcripts.

Input: transcripts. Output: a report. Has its own reader, several times as fast as the pipeline's, and sends nothing.
"""

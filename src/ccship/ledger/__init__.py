"""Records what every LLM call used: a local SQLite file without conversation text.

Input: transcripts. Output: calls, turns, and sums of calls. Independent of the state, which records deliveries. The
ledger always equals a new count of the same transcripts, whatever was read in which order; rows of deleted transcripts
stay until the user forgets them.
"""

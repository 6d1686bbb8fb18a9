"""The pipeline: transcripts -> units -> batches -> acknowledged delivery -> state.

It never writes to a transcript. It changes the state only by committing deliveries.
"""

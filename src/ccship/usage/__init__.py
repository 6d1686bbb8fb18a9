"""Turns sums of the ledger into reports: by time, model, project, branch and more, at API prices.

Input: transcripts and the ledger. Output: rows. Sends nothing.
"""

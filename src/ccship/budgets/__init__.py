"""Compares what was used with budgets, and sends notices. Nothing here delays Claude or delivery.

Input: sums of the ledger. Output: the status of each budget, and one notice per budget, period and threshold.
"""

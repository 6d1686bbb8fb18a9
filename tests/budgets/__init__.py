"""Budgets: periods, thresholds, notices."""

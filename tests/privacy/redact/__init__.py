"""Redaction: what it finds, and what it leaves."""

"""`ccship.ledger`: what every call used, kept for good."""

"""`ccship usage`: calls, tokens and cost."""

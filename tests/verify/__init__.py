"""`ccship verify`: the differences, and the repair."""

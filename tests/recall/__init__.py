"""How many of the secrets that it has not been written for redaction finds."""

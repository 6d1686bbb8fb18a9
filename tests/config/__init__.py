"""Settings: where they come from, and where they send."""

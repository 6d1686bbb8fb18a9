"""The store: its contents, its upgrades, its permissions."""

"""What the background process of the hook does."""

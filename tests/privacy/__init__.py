"""What may leave of an observation."""

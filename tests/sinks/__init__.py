"""What reaches Langfuse."""

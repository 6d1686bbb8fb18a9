"""The real Claude Code client, with the hook registered, against a scripted model and a loopback Langfuse."""

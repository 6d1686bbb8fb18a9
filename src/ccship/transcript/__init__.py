"""Claude Code's transcripts: which there are, their lines, records, turns and token usage."""

"""What was used, counted on this machine from the transcripts alone: its own fast way, apart from what is shipped."""

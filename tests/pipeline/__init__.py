"""Transcripts to units to deliveries: copies, repositories, damage, orphans."""

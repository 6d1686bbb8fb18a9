"""History: whole sessions, shipped in lots by one process or several."""

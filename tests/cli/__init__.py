"""The screens of the command line, and what all commands have in common."""

"""The installed Claude Code: settings files, the registration of the hook, plugins.

Never reads a transcript.
"""

"""The registration of the hook: settings files, links in them, the plugin."""

"""The deb family."""

"""The content of an image beyond its packages: settings, users, files, commands; and what later stages read of it."""

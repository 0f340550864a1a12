"""What is inside an image beyond its packages: settings, users, files, commands, and who reads what of it."""

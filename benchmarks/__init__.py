"""Compares the time and memory of a build with those of a well-known tool."""

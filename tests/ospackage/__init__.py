"""Package sets and their graph."""

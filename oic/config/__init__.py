"""A recipe and a distribution's data → the final config."""

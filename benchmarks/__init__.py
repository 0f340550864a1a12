"""What a build costs, in time and memory, beside the tool people know."""

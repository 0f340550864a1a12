"""What each stage does: one module a stage, each with a function `run`."""

"""The stages: each module defines one, with its slice, its `KIND` and its function `run`."""

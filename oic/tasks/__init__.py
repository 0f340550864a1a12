"""Everything that touches doit: the command line, the tasks, what is told of a run, doit's database."""

import gc

gc.set_threshold(20_000)
"""Almost nothing of what a command loads is ever garbage: Python's 700 would have it walked 25 times over."""

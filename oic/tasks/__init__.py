"""Everything that touches doit: the command line, the tasks, what is told of a run, doit's database."""

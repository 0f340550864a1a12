"""What runs again after an edit, a loss, a kill: the whole graph, through the real doit."""

"""Tests which stages run again after an edit, a loss or a kill: the whole graph, with the real doit."""

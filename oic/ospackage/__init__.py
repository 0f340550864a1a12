"""Packages as such: the lock, the solver, the download, trust."""

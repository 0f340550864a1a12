"""What all package families share: the lock, the solver, downloads, the store."""

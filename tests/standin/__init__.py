"""Stand-ins for distributions whose own repositories cannot be reached: built locally, signed, served over TLS."""

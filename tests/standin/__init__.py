"""Stand-ins for distributions whose own repositories cannot be reached: made on the spot, signed, served over TLS."""

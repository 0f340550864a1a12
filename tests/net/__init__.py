"""The network and the store, against a hostile mirror on the loopback."""

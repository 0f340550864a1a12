"""The rpm family: metadata, solving, trust, unpacking, and installation by the target's own rpm."""

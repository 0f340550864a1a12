"""How an image boots: one file for each method."""

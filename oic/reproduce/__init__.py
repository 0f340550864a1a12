"""``doit reproduce``: builds an image twice, at two clock times, and names the differences."""

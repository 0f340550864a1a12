"""``doit reproduce``: an image built twice, at two clock times, and what differs named."""

"""Where partitions lie, the table that says so, and the file they are put together in."""

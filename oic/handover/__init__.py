"""The files that stages pass to each other: a frozen type for each file, and a codec for all of them."""

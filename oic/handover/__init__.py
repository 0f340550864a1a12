"""What passes between stages: one frozen type for each file, and one codec for all of them."""

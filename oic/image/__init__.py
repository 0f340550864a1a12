"""File systems, boot images, partition tables, and disk images made of them."""

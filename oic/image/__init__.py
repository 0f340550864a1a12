"""File systems, boot images, partition tables and the disk made of them."""

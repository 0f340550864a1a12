"""The boot test: an image in a virtual machine, from firmware to a login, compared with what it should be."""

"""The boot test: boots an image in a virtual machine, logs in, and compares it with what is expected."""

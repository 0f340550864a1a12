"""oic composes bootable operating-system images from the packages of a distribution."""

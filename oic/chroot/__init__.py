"""The isolated build environment: namespaces, layers and the one way a tool of an image is run."""

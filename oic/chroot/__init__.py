"""The isolated build environment: namespaces, layers, and the sandbox in which programs run."""

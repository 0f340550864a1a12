"""The file systems a partition can have: one file for each that makes it and says what it can hold."""

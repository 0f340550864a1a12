"""Programs and child processes, their standard streams, and system calls that Python lacks."""

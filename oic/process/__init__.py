"""Processes: programs and children that are started, their streams, the system calls that Python lacks."""

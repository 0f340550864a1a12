"""Fields of os-release(5) that a boot menu shows. Pure."""

from __future__ import annotations


def release_field(os_release: str, name: str) -> str:
    """Return a field of os-release(5), whose values are a shell's; empty where there is none."""
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == name:
            return value.strip().strip("\"'")
    return ""


def title_of(os_release: str) -> str:
    """Return what a menu calls the system."""
    return release_field(os_release, "PRETTY_NAME") or release_field(os_release, "NAME") or "Linux"

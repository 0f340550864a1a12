"""What installing packages leaves of this build or of this machine, whatever the package family: globs in the tree."""

from __future__ import annotations

TRACES = (
    "etc/.pwd.lock",
    "etc/.resolv.conf.systemd-resolved.bak",
    "etc/machine-id",
    "run/*",
    "tmp/*",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "var/tmp/*",
)

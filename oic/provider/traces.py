"""Files that installing leaves in both families and that describe this build or this machine: globs in the tree."""

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

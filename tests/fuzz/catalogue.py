"""All harnesses by name. A new one is an entry of a module here, or of a new module."""

from __future__ import annotations

from fuzz import boot, config, deb, formats, keys, locks, network, rpm, signing

HARNESSES = {
    harness.name: harness
    for module in (deb, rpm, formats, config, locks, network, boot, keys, signing)
    for harness in module.HARNESSES
}

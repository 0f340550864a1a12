"""Pieces of recipes that a build refuses, with the key path that the refusal names: every field in them is unbuilt.

A field that is built has its row in `edits` instead, with the stages that see it.
"""

from __future__ import annotations

from typing import Any

UNBUILT: tuple[tuple[dict[str, Any], str], ...] = (
    ({"target": {"arch": "aarch64"}}, "target.arch"),
    ({"systemConfig": {"immutability": {"updates": "ab"}}}, "systemConfig.immutability.updates"),
    ({"systemConfig": {"immutability": {"encrypt": True}}}, "systemConfig.immutability.encrypt"),
    (
        {
            "systemConfig": {
                "fde": {"enabled": True, "passphraseFile": "secret", "partitions": ["rootfs"], "unlock": "auto"}
            }
        },
        "systemConfig.fde.enabled",
    ),
    (
        {"packageRepositories": [{"packages": ["https://three.invalid/a.zip"], "insecureSkipVerify": True}]},
        "packageRepositories[0].insecureSkipVerify",
    ),
    (
        {"packageRepositories": [{"codename": "four", "url": "https://four.invalid", "pkey": "<PUBLIC_KEY_URL>"}]},
        "packageRepositories[0]",
    ),
    (
        {
            "baseline": {
                "mode": "overlay",
                "source": {"path": "base.raw", "format": "raw", "sbomPath": "base.spdx.json"},
            },
            "overlayPolicy": {
                "packageOperation": "additive-and-upgrade",
                "conflictPolicy": "fail",
                "kernelCmdline": "quiet",
                "grubDefault": "0",
                "allowDiskResize": True,
                "allowPackageRemoval": True,
                "replaceKernel": {"package": "linux-image-amd64"},
            },
        },
        "baseline.mode",
    ),
    (
        {"baseline": {"mode": "overlay", "source": {"url": "https://base.invalid/base.raw", "format": "raw"}}},
        "baseline.mode",
    ),
)


def laid_over(recipe: Any, piece: Any) -> Any:
    """Return a recipe with a piece laid over it, field by field; the keys of a list are its indices."""
    if not isinstance(piece, dict):
        return piece
    if isinstance(recipe, list):
        items = dict(enumerate(recipe))
        return [laid_over(items.get(key), piece[key]) if key in piece else items[key] for key in items | piece]
    below = recipe or {}
    return {**below, **{key: laid_over(below.get(key), value) for key, value in piece.items()}}

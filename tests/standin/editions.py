"""The content of the stand-in for eLxr: its suites, and the packages that Debian lacks."""

from __future__ import annotations

from dataclasses import dataclass

DEBIANS = ("main", "non-free-firmware")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A suite of eLxr: the Debian suites in it, the Debian component in each of its components, the path of its key."""

    suite: str
    version: str
    debian: tuple[str, ...]
    components: dict[str, str]
    key: str

    def index(self, component: str) -> str:
        return f"dists/{self.suite}/{component}/binary-amd64/Packages.gz"


EDITIONS = (
    Edition(
        suite="aria",
        version="12.0",
        debian=("bookworm", "bookworm-updates"),
        components={name: name for name in DEBIANS},
        key="public.gpg",
    ),
    Edition(
        suite="bianca",
        version="13.10.0.0",
        debian=("trixie", "trixie-updates"),
        components={
            "main": "",
            "non-free-firmware": "",
            **{f"{name}-debian-community": name for name in DEBIANS},
        },
        key="bianca.gpg",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that only eLxr has; its file whose name ends in ``.gpg`` gets the public key as content."""

    name: str
    version: str
    text: str
    files: dict[str, str]


OWN = (
    Package(
        name="elxr-archive-keyring",
        version="2024.1",
        text="key of the eLxr stand-in's archive\n A test key, worth nothing.",
        files={"usr/share/keyrings/elxr-archive-keyring.gpg": ""},
    ),
    Package(
        name="uefi-ext4",
        version="1.0-1",
        text="stand-in for the ext4 driver of UEFI\n Debian has none: this package is empty.",
        files={
            "usr/share/doc/uefi-ext4/README.standin": "Debian has no ext4 driver for UEFI: there is none in here.\n"
        },
    ),
)

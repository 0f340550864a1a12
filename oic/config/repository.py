"""A package repository as a recipe or a distribution names it, and the keys that vouch for it: frozen values."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from msgspec import UNSET, UnsetType

from oic.values import Value


class Key(Value):
    """A key file: `source` is its absolute path or its http(s) or file URL.

    `fingerprints` are those of the primary keys that alone count of it; without any, the whole file does. `sha256` is
    of a file of this host, taken when the recipe was read; empty where there is none.
    """

    source: str
    fingerprints: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def url(self) -> str:
        """Return the source as a URL."""
        return self.source if "://" in self.source else f"file://{quote(self.source)}"

    @property
    def path(self) -> str:
        """Return the path of a file of this host; empty for what comes over the network."""
        return unquote(urlsplit(self.url).path) if self.url.startswith("file://") else ""


class PackageFile(Value):
    """A package file, or an archive of them, that a recipe names: at a `url`, or a file of this host at `path`.

    `name` is what messages call it. `sha256` is the recipe's where it is `vouched`; else, of a file of this host, that
    of what was there when the recipe was read, and of a URL none. `optional`: it is one of a directory, from which only
    the packages of the image's architecture are taken.
    """

    name: str
    url: str = ""
    path: str = ""
    sha256: str = ""
    vouched: bool = False
    optional: bool = False


class Repository(Value):
    """One package repository: a deb suite or an rpm base URL.

    `trusted` means unsigned by the recipe's own word. Without `signed_metadata`, each package is signed but the
    metadata are not, which https has to protect. `mirror_list`, where it is not empty, is the URL of a list of base
    URLs, any of which stands in for `url`; `of_host`: the URL is what the host's own apt or dnf uses.
    `further`: it is off by default, and the recipe turned it on; `of_recipe`: it is none of the distribution's. Higher
    `priority` comes before a newer version. A `suite` that ends with a slash is the directory of a flat repository.
    `image_key` is the key file by which the image is to know the repository, a path in the image.
    `whole`: all metadata that a client reads are kept, as a medium carries the repository; it is not set where they are
    not, so that a slice without it stays as it was.
    A repository that the build makes of `files` has no place, and a URL that nobody can fetch; `insecure`: the digests
    of the files alone are checked, not TLS.
    """

    name: str
    url: str
    keys: tuple[Key, ...]
    suite: str = ""
    components: tuple[str, ...] = ()
    mirror_list: str = ""
    image_key: str = ""
    trusted: bool = False
    signed_metadata: bool = True
    of_host: bool = False
    further: bool = False
    of_recipe: bool = False
    priority: int = 0
    allow_packages: tuple[str, ...] = ()
    files: tuple[PackageFile, ...] = ()
    insecure: bool = False
    whole: bool | UnsetType = UNSET

    @property
    def group(self) -> str:
        """Return its name for a repository of the recipe; all of the distribution's own are one group, empty."""
        return self.name if self.of_recipe else ""


ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
"""How the names of archives of package files end."""
MADE = "packages:///"
"""How the URLs of repositories begin that the build makes of package files."""


def is_made(url: str) -> bool:
    """Tell whether a URL is that of a repository that the build makes of package files."""
    return url.startswith(MADE)


def is_local(url: str) -> bool:
    """Tell whether a repository is on this host, so that an image is not told of it."""
    return url.startswith(("file:", MADE))


def is_safe_way(url: str) -> bool:
    """Tell whether nobody on the way can change what comes from a URL."""
    return url.lower().startswith(("https://", "file://"))

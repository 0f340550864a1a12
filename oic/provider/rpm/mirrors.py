"""Find an rpm repository: its base URL, or the base URLs of a mirror list, tried one after the other.

* A mirror list is plain text: one URL a line; ``#`` begins a comment; ``$basearch`` and ``{arch}`` are replaced.
* Or it is a metalink (version 3, as MirrorManager writes them): the URLs of repomd.xml by http and https, the preferred
  ones first. Its checksums are not used: the document is signed, or comes by https.
* Where the metadata are not signed, mirrors by plain http are skipped.
* Unreachable mirrors are skipped with a note; a bad signature aborts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from oic.config.repository import is_safe_way
from oic.errors import FetchError, TrustError
from oic.progress import note
from oic.provider.rpm.markup import parse_markup
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oic.config.repository import Repository
    from oic.ospackage.fetch import Fetcher

Result = TypeVar("Result")

_MAX_LIST = 2**20
_MAX_TRIED = 10
_REPOMD = "/repodata/repomd.xml"


def bases_of(repository: Repository, architecture: str, fetcher: Fetcher) -> list[str]:
    """Return the repository's base URLs, without a slash at the end; raises FetchError or TrustError."""
    if not repository.mirror_list:
        return [repository.url.rstrip("/")]
    body = fetcher.fetch(repository.mirror_list, limit=_MAX_LIST).body or b""
    if body.lstrip().startswith(b"<"):
        urls = _in_metalink(body, repository.mirror_list)
    else:
        lines = [line.partition("#")[0].strip() for line in body.decode("utf-8-sig", "replace").splitlines()]
        urls = [_filled(line, architecture).rstrip("/") for line in lines if line]
        if not urls or any("://" not in url for url in urls):
            found = next((line for line in lines if line and "://" not in line), "none")
            message = f"expected a list of base URLs, one on each line, or a metalink, found {found[:80]!r}"
            raise FetchError(message, where=repository.mirror_list)
    if not repository.signed_metadata:
        urls = _by_https(urls, repository)
    return urls[:_MAX_TRIED]


def _in_metalink(body: bytes, where: str) -> list[str]:
    """Return the base URLs of a metalink; raises FetchError."""
    try:
        root = parse_markup(body, where=where)
    except TrustError as error:
        raise FetchError(
            f"expected a list of base URLs or a metalink, found neither: {error.message}", where=where
        ) from None
    files = [file for files in root.all("files") for file in files.all("file")]
    found = [
        (parse_number(url.attributes.get("preference", "")) or 0, "".join(url.text).strip())
        for file in files
        if file.attributes.get("name") == "repomd.xml"
        for resources in file.all("resources")
        for url in resources.all("url")
    ]
    urls = [url.removesuffix(_REPOMD) for _, url in sorted(found, key=lambda one: -one[0]) if url.endswith(_REPOMD)]
    urls = [url for url in urls if url.startswith(("https://", "http://"))]
    if not urls:
        hint = "is it the URL of a mirror list?"
        raise FetchError("expected a metalink with URLs of repomd.xml, found none", where=where, hint=hint)
    return urls


def _by_https(urls: Sequence[str], repository: Repository) -> list[str]:
    found = [url for url in urls if is_safe_way(url)]
    if len(found) < len(urls):
        note(f"mirrors of {repository.name} by plain http are skipped, because its metadata are not signed")
    if not found:
        message = f"expected an https URL, because the metadata of {repository.name} are not signed, found none"
        raise TrustError(message, where=repository.mirror_list, hint=f"it has {urls[0][:80]!r}")
    return found


def from_first(bases: Sequence[str], read: Callable[[str], Result]) -> Result:
    """Return the result of `read` for the first base URL that can be fetched; raises FetchError with each failure."""
    failures = []
    for base in bases:
        try:
            return read(base)
        except FetchError as failure:
            if len(bases) == 1:
                raise
            failures.append(str(failure))
            note(f"this mirror is skipped: {failure}")
    raise FetchError("no mirror of the list gives the repository:\n" + "\n".join(failures))


def _filled(line: str, architecture: str) -> str:
    for word in ("$basearch", "${basearch}", "$arch", "{arch}"):
        line = line.replace(word, architecture)
    return line

"""Who signed a document: gpg's verdict on each signature, with only the keys of one repository.

* The keyring is temporary. Nothing of the user's own gpg is read, and no agent is started.
* Each signature is judged, not only gpg's overall verdict. One good signature by a key of the repository is required.
  A signature that is bad or expired, or whose key is expired or revoked, is refused even beside a good one.
* A signature by a key that is not the repository's is refused even beside a good one; apt would accept that. An archive
  that starts to sign with a second key needs its new keyring on this host first.
* Where fingerprints are given for a key file, only those primary keys of it count.
* Whether a package counts although its key has expired since is decided in `oic.provider.lapsed`.
* A signature of a document that uses a weak hash is refused. A key's signatures on itself may use one: a key is trusted
  because the recipe or distribution names its file, and keys from before 2016 bind their names by SHA-1.

The status lines are those of gnupg's doc/DETAILS.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, ToolError, TrustError
from oic.provider.keyfile import without_version_6
from oic.values import Value, parse_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# Keys are trusted because the recipe names them, not by the web of trust.
_OPTIONS = (
    "--batch",
    "--no-options",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--trust-model=always",
)
EXPIRED_KEY = "EXPKEYSIG"
_REFUSED = {
    "BADSIG": "a signature that does not match the text",
    "EXPSIG": "an expired signature",
    EXPIRED_KEY: "a signature by an expired key",
    "REVKEYSIG": "a signature by a revoked key",
}
_NEVER = ("r", "i", "d")  # revoked, invalid, disabled
_LEAST_WORDS = {"ERRSIG": 6, "VALIDSIG": 10}
# Of ERRSIG: 4 is an unknown algorithm, 9 a missing public key.
_UNJUDGED = {"4", "9"}
# Of VALIDSIG, by the numbers of RFC 4880, section 9.4.
_HASHES = {"8": "sha256", "9": "sha384", "10": "sha512"}
_DAMAGED = re.compile(r"read error: Invalid (keyring|packet)|CRC error")
_WEAK_HASHES = {"1": "md5", "2": "sha1", "3": "ripemd160", "11": "sha224"}


class ExpiredError(TrustError):
    """A signature that was good but has expired, or whose key has."""


class Period(Value):
    """When a key is valid, in seconds; `expires` is 0 for a key that never expires. A `revoked` key is never valid."""

    made: int
    expires: int
    revoked: bool


class Keyring(Value):
    """A gpg with some key files imported, and the fingerprints of the primary keys that count, by the file's URL.

    `periods` says when each of those keys and their subkeys is valid, by fingerprint.
    """

    gpg: Any
    counted: Mapping[str, tuple[str, ...]]
    periods: Mapping[str, Period]

    @property
    def fingerprints(self) -> frozenset[str]:
        """Return the fingerprints of all keys that count."""
        return frozenset(one for found in self.counted.values() for one in found)


class GoodSignature(Value):
    """A signature that matches its text, with the fingerprints of its `key` and of the `primary` key of that.

    `made` is the date in the signature, in seconds; `lapsed` says that the key has expired since.
    """

    primary: str
    key: str
    made: int
    lapsed: bool


@contextlib.contextmanager
def keyring(keys: Mapping[str, bytes], pinned: Mapping[str, Collection[str]] | None = None) -> Iterator[Keyring]:
    """Yield a gpg that has only these key files, by URL.

    Of a file with fingerprints in `pinned`, only those keys count. Raises ToolError when gpg is missing, and TrustError
    for a file without a key, or without one that counts.
    """
    import gnupg  # noqa: PLC0415 - slow to import, and a build that is up to date has nothing to verify

    # When a build is stopped, gpg may still write here; the next build removes what stays.
    with tempfile.TemporaryDirectory(prefix="oic-gpg-", ignore_cleanup_errors=True) as home:
        try:
            gpg = gnupg.GPG(gnupghome=home, options=list(_OPTIONS))
        except (OSError, ValueError) as error:
            raise ToolError(f"cannot run gpg: {error}", hint="install it: apt-get install gpg") from error
        every: set[str] = set()
        counted: dict[str, tuple[str, ...]] = {}
        for url, key in keys.items():
            imported = _imported(gpg, without_version_6(key, url), url)
            if not imported.fingerprints:
                raise _not_imported(imported.stderr, url)
            every.update(imported.fingerprints)
            counted[url] = _counted(imported.fingerprints, (pinned or {}).get(url, ()), url)
        if others := sorted(every - {one for found in counted.values() for one in found}):
            gpg.delete_keys(others)
        listed = gpg.list_keys()
        ring = Keyring(gpg=gpg, counted=counted, periods=_periods(listed))
        if {entry["fingerprint"] for entry in listed} != ring.fingerprints:
            raise ToolError(f"gpg cannot remove the keys that do not count: {', '.join(others)}")
        yield ring


def _periods(listed: Iterable[Mapping[str, Any]]) -> dict[str, Period]:
    """Return when each key and subkey of gpg's list is valid; the second field is the validity (doc/DETAILS)."""
    entries = [one for entry in listed for one in (entry, *entry.get("subkey_info", {}).values())]
    return {
        entry["fingerprint"]: Period(
            made=parse_number(entry["date"]) or 0,
            expires=parse_number(entry["expires"]) or 0,
            revoked=entry["trust"] in _NEVER,
        )
        for entry in entries
    }


def _imported(gpg: Any, key: bytes, url: str) -> Any:
    try:
        return gpg.import_keys(key)
    except BrokenPipeError:  # gpg ended at a packet that it cannot read, before all input was written
        raise TrustError("expected an OpenPGP key, found a damaged one", where=url) from None


def _counted(found: Collection[str], pinned: Collection[str], url: str) -> tuple[str, ...]:
    counted = tuple(sorted({one for one in found if not pinned or one in pinned}))
    if not counted:
        expected = " or ".join(sorted(pinned))
        hint = "the file is another one than the fingerprint was taken of"
        raise TrustError(f"expected the key {expected}, found {', '.join(sorted(set(found)))}", where=url, hint=hint)
    return counted


def _not_imported(stderr: str, url: str) -> OicError:
    """Return the error: of the key file, or of gpg itself, for example when the disk is full."""
    lines = [line.removeprefix("gpg: ") for line in stderr.splitlines() if line.startswith("gpg: ")]
    if not lines or any(line[0] == "NODATA" for line in status_of(stderr)):
        return TrustError("expected an OpenPGP key, found none", where=url)
    if any(_DAMAGED.search(line) for line in lines):
        return TrustError("expected an OpenPGP key, found a damaged one", where=url)
    error = next((line for line in lines if line.startswith("error")), lines[-1])
    return ToolError(f"gpg cannot import the key: {error}", where=url)


def detached_signers(gpg: Any, text: bytes, signature: bytes, *, where: str) -> tuple[str, ...]:
    """Return the fingerprints of the keys that made this detached signature of a document; raises TrustError."""
    return signers_of(detached_status(gpg, text, signature, where=where), where)


def detached_status(gpg: Any, text: bytes, signature: bytes, *, where: str) -> list[list[str]]:
    """Return gpg's status lines on a detached signature; raises TrustError when it is not one."""
    with tempfile.NamedTemporaryFile(prefix="oic-gpg-") as file:
        Path(file.name).write_bytes(signature)
        status = status_of(gpg.verify_data(file.name, text).stderr)
    if any(line[0] == "PLAINTEXT" for line in status):
        raise TrustError("expected a detached signature, found a message", where=where)
    return status


def status_of(stderr: str) -> list[list[str]]:
    """Return gpg's status lines, each as a keyword and its arguments."""
    prefix = "[GNUPG:] "
    return [
        words for line in stderr.split("\n") if line.startswith(prefix) and (words := line.removeprefix(prefix).split())
    ]


def signers_of(status: list[list[str]], where: str) -> tuple[str, ...]:
    """Return the fingerprints of the primary keys of good signatures; raises TrustError by the module's rules."""
    return tuple(sorted({signature.primary for signature in good_signatures(status, where)}))


def good_signatures(status: list[list[str]], where: str, *, take: Collection[str] = ()) -> tuple[GoodSignature, ...]:
    """Return the good signatures; raises TrustError by the module's rules, except for the keywords in `take`."""
    good: list[GoodSignature] = []
    unknown: set[str] = set()
    lapsed = False
    for keyword, *words in status:
        _expect_whole(keyword, words, where)
        lapsed = keyword == EXPIRED_KEY or (lapsed and keyword != "NEWSIG")
        if keyword in _REFUSED and keyword not in take:
            kind = ExpiredError if keyword.startswith("EXP") else TrustError
            raise kind(f"found {_REFUSED[keyword]} ({' '.join(words)})", where=where)
        if keyword == "ERRSIG":
            if words[2] in _WEAK_HASHES:
                raise _weak(words[2], where)
            if words[5] not in _UNJUDGED:
                raise TrustError(
                    f"found a signature gpg cannot check, by key {words[0]} (code {words[5]})", where=where
                )
            unknown.add(words[0])
        if keyword == "VALIDSIG":
            if words[7] not in _HASHES:
                raise _weak(words[7], where)
            made = parse_number(words[2]) or 0
            good.append(GoodSignature(primary=words[-1], key=words[0], made=made, lapsed=lapsed))
    if not good:
        found = f"signatures by unknown keys {', '.join(sorted(unknown))}" if unknown else "no signature"
        hint = "is it the right key?" if unknown else None
        raise TrustError(f"expected a signature by a key of this repository, found {found}", where=where, hint=hint)
    if unknown:
        found = ", ".join(sorted(unknown))
        hint = "if the repository has a new key, name it too, or upgrade its keyring package on this host"
        message = f"expected signatures by this repository's keys only, found another by unknown key {found}"
        raise TrustError(message, where=where, hint=hint)
    return tuple(good)


def _expect_whole(keyword: str, words: list[str], where: str) -> None:
    if len(words) < _LEAST_WORDS.get(keyword, 0):
        found = " ".join((keyword, *words))
        raise TrustError(f"expected a whole line of gpg's verdict, found {found[:80]!r}", where=where)


def _weak(number: str, where: str) -> TrustError:
    found = _WEAK_HASHES.get(number, f"hash algorithm {number}")
    expected = " or ".join(_HASHES.values())
    return TrustError(f"expected a signature of {expected}, found one of {found}, too weak", where=where)

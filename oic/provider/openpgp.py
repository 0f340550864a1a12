"""Who signed a document: gpg's verdict on each signature, against one repository's keys only.

* The keyring is private, made for the occasion and removed; nothing of the user's own gpg is read, no agent is
  started.
* Every signature is looked at, not gpg's overall verdict: one good signature by a key of the repository is
  required; one that is bad, expired, or by an expired or revoked key, is refused whatever stands beside it.
* A further signature by a key that is not the repository's is refused as well, where apt lets it pass: somebody put
  it there. An archive that signs with a new key as well needs its new keyring on this host first.
* Where fingerprints are given for a key file, only these primary keys of it count, whatever else it holds.
* That a key has expired since is for `oic.provider.lapsed` to judge, of packages alone.
* A signature of a document by a weak hash is refused. What a key says of itself may be: a key counts because the recipe
  or the distribution names its file, and keys in use since before 2016 bind their names by SHA-1.

The status lines are those of gnupg's doc/DETAILS.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gnupg

from oic.errors import OicError, ToolError, TrustError
from oic.provider.keyfile import without_version_6
from oic.values import parse_number

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
    """A signature that was good once: it, or its key, has expired since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When a key counts, in seconds; `expires` is 0 for a key without an end. `revoked`: it never does."""

    made: int
    expires: int
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """A gpg that knows some key files, and the fingerprints of the primary keys that count, by the file's URL.

    `periods` has those keys and their subkeys, by fingerprint.
    """

    gpg: Any
    counted: Mapping[str, tuple[str, ...]]
    periods: Mapping[str, Period]

    @property
    def fingerprints(self) -> frozenset[str]:
        """Return all that count."""
        return frozenset(one for found in self.counted.values() for one in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodSignature:
    """A signature that matches its text: the fingerprints of its `key` and of that one's `primary` key.

    `made` is in seconds, by the signature's own word; `lapsed`: the key has expired by now.
    """

    primary: str
    key: str
    made: int
    lapsed: bool


@contextlib.contextmanager
def keyring(keys: Mapping[str, bytes], pinned: Mapping[str, Collection[str]] | None = None) -> Iterator[Keyring]:
    """Yield a gpg that knows these key files, by URL, and nothing else.

    Of a file with fingerprints in `pinned`, only these count. Raises ToolError without gpg, TrustError for a file that
    holds no key, or none of those that count.
    """
    # Of a stopped build, gpg may still be writing there: what then stays, the next build removes with its work.
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
    """Return when each key and subkey of gpg's list counts; its second field is the validity, as in doc/DETAILS."""
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
    except BrokenPipeError:  # it left at a packet that it cannot read, before the rest was written
        raise TrustError("expected an OpenPGP key, found a damaged one", where=url) from None


def _counted(found: Collection[str], pinned: Collection[str], url: str) -> tuple[str, ...]:
    counted = tuple(sorted({one for one in found if not pinned or one in pinned}))
    if not counted:
        expected = " or ".join(sorted(pinned))
        hint = "the file is another one than the fingerprint was taken of"
        raise TrustError(f"expected the key {expected}, found {', '.join(sorted(set(found)))}", where=url, hint=hint)
    return counted


def _not_imported(stderr: str, url: str) -> OicError:
    """Return what is wrong: with the key file, or, a full disk for one, with what gpg needs."""
    said = [line.removeprefix("gpg: ") for line in stderr.splitlines() if line.startswith("gpg: ")]
    if not said or any(line[0] == "NODATA" for line in status_of(stderr)):
        return TrustError("expected an OpenPGP key, found none", where=url)
    if any(_DAMAGED.search(line) for line in said):
        return TrustError("expected an OpenPGP key, found a damaged one", where=url)
    error = next((line for line in said if line.startswith("error")), said[-1])
    return ToolError(f"gpg cannot take in the key: {error}", where=url)


def detached_signers(gpg: Any, text: bytes, signature: bytes, *, where: str) -> tuple[str, ...]:
    """Return the fingerprints of who signed a document with this detached signature; raises TrustError."""
    return signers_of(detached_status(gpg, text, signature, where=where), where)


def detached_status(gpg: Any, text: bytes, signature: bytes, *, where: str) -> list[list[str]]:
    """Return gpg's status lines on a detached signature; raises TrustError for what is none."""
    with tempfile.NamedTemporaryFile(prefix="oic-gpg-") as file:
        Path(file.name).write_bytes(signature)
        status = status_of(gpg.verify_data(file.name, text).stderr)
    if any(line[0] == "PLAINTEXT" for line in status):
        raise TrustError("expected a detached signature, found a message", where=where)
    return status


def status_of(stderr: str) -> list[list[str]]:
    """Return gpg's status lines, each a keyword and its words."""
    prefix = "[GNUPG:] "
    return [
        words for line in stderr.split("\n") if line.startswith(prefix) and (words := line.removeprefix(prefix).split())
    ]


def signers_of(status: list[list[str]], where: str) -> tuple[str, ...]:
    """Return the primary keys' fingerprints of good signatures; raises TrustError as the module says."""
    return tuple(sorted({signature.primary for signature in good_signatures(status, where)}))


def good_signatures(status: list[list[str]], where: str, *, take: Collection[str] = ()) -> tuple[GoodSignature, ...]:
    """Return the good signatures; raises TrustError as the module says, but not for the keywords to `take`."""
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

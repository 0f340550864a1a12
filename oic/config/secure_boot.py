"""The keys that sign for Secure Boot (``immutability.secureBootDB…``), and what of a recipe does not go with them.

* Key and certificates are files, found as additional files are. The key may be in a token; an image may be signed
  elsewhere.
* What is wrong with them is said when the recipe is read. A file or pass phrase that is not on this machine keeps the
  recipe from being built here; it is valid all the same.
* Of the key nothing is kept but where it is.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.config.additional import find
from oic.config.assemble import bootloader_of, is_placeholder
from oic.errors import OicError
from oic.values import Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

    from oic.config.additional import Places
    from oic.config.source import Node

    Found = Iterator[tuple[Node, str]]

KEY, CRT, CER = "secureBootDBKey", "secureBootDBCrt", "secureBootDBCer"
FILES = (KEY, CRT, CER)
HERE, ELSEWHERE = "here", "elsewhere"
TOKEN = "pkcs11:"  # noqa: S105 - the scheme of a URI
_SIGNED = ("raw", "iso")
_OPEN = 0o044


class SecureBoot(Value):
    """What signs an image: the key, a path or the URI of a token, or nothing where it is signed `elsewhere`.

    `certificate` is its text as PEM and `sha256` that of its DER; without one, any key may have signed elsewhere.
    """

    key: str
    elsewhere: bool
    certificate: str = ""
    subject: str = ""
    sha256: Digest = Digest("")


def is_file(text: str) -> bool:
    """Tell whether a text names a file: it is not empty, no placeholder and no URI of a token."""
    return bool(text) and not is_placeholder(text) and not text.startswith(TOKEN)


def is_signed(immutability: Node) -> bool:
    """Tell whether a merged recipe has its image signed with keys of its own."""
    return bool(_given(immutability)) or immutability.get("signing").text == ELSEWHERE


def _given(immutability: Node) -> list[str]:
    return [key for key in FILES if immutability.get(key).text and not is_placeholder(immutability.get(key).text)]


def secure_boot_problems(tree: Node) -> Found:
    """Say what of a merged recipe does not go together with keys for Secure Boot."""
    system = tree.get("systemConfig")
    immutability = system.get("immutability")
    if not is_signed(immutability):
        return
    given = _given(immutability)
    missing = [key for key in FILES if key not in given]
    if immutability.get("signing").text == ELSEWHERE:
        if KEY in given:
            yield immutability.get(KEY), "expected no key, as the image is signed elsewhere, found one"
    elif missing:
        yield immutability, f"expected all of {', '.join(FILES)} or none, found no {' and no '.join(missing)}"
    if not immutability.get("enabled").true:
        found = "nothing" if immutability.get("enabled").value is None else "false"
        yield immutability.get("enabled"), f"expected true, as Secure Boot keys are given, found {found}"
    loader = bootloader_of(system.get("bootloader"))
    if loader.boot_type != "efi":
        said = "expected efi, as Secure Boot is UEFI's and keys are given for it"
        yield system.get("bootloader", "bootType"), f"{said}, found {loader.boot_type}"
    elif loader.provider != "systemd-boot":
        said = "expected systemd-boot, as a signature covers its whole kernel image and nothing that GRUB reads"
        yield system.get("bootloader", "provider"), f"{said}, found {loader.provider} beside Secure Boot keys"
    elif (entries := system.get("kernel", "entries")).true:
        said = "expected false, as no signature covers kernel, initramfs and command line of boot loader entries"
        yield entries, f"{said}, found true beside Secure Boot keys"


def secure_boot_notes(tree: Node, places: Places) -> Found:
    """Say which of the keys are placeholders or have no effect, and which key others can read."""
    immutability = tree.get("systemConfig", "immutability")
    for node in map(immutability.get, FILES):
        if is_placeholder(node.text):
            yield node, f"a placeholder, {node.text}; nothing is signed with it"
    signing = immutability.get("signing")
    if signing.text == HERE and not _given(immutability):
        yield signing, "no effect without Secure Boot keys"
    kind = tree.get("target", "imageType").text
    if is_signed(immutability) and kind not in _SIGNED:
        yield immutability, f"no effect of Secure Boot keys on an image of type {kind}, which no firmware starts"
    elif is_signed(immutability) and kind == "iso":
        said = "what the medium installs is signed; the medium itself is not, and starts with Secure Boot off"
        yield immutability, said
    key = immutability.get(KEY)
    if is_file(key.text):
        path = find(key, places)
        if path.is_file() and (mode := path.stat().st_mode & 0o777) & _OPEN:
            yield key, f"other users of this machine can read the private key {path} (mode {mode:04o})"


def secure_boot_of(
    tree: Node, places: Places, problems: list[tuple[Node, str]]
) -> tuple[SecureBoot | None, list[tuple[Node, str]]]:
    """Return what signs a recipe without other problems, and what of it is not on this machine."""
    immutability = tree.get("systemConfig", "immutability")
    if (
        not is_signed(immutability)
        or tree.get("target", "imageType").text not in _SIGNED
        or [*secure_boot_problems(tree)]
    ):
        return None, []
    reading = _Reading(immutability, places, problems)
    certificate = reading.certificate()
    key = reading.key(certificate) if immutability.get("signing").text != ELSEWHERE else ""
    if reading.missing or reading.has_failed:
        return None, reading.missing
    found = SecureBoot(key=key, elsewhere=not key)
    if certificate is None:
        return found, []
    return _with_certificate(found, certificate), []


def _with_certificate(wanted: SecureBoot, certificate: Certificate) -> SecureBoot:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - only where something is signed
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return SecureBoot(
        key=wanted.key,
        elsewhere=wanted.elsewhere,
        certificate=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        subject=certificate.subject.rfc4514_string(),
        sha256=Digest(certificate.fingerprint(SHA256()).hex()),
    )


class _Reading:
    """Reads the files that a recipe names, and collects what is wrong and what is not there."""

    def __init__(self, immutability: Node, places: Places, problems: list[tuple[Node, str]]) -> None:
        self.node = immutability
        self.places = places
        self.problems = problems
        self.missing: list[tuple[Node, str]] = []
        self.has_failed = False

    def certificate(self) -> Certificate | None:
        """Return the certificate; of two, which have to be the same, the first."""
        from oic.image.signing.keys import certificate_problem  # noqa: PLC0415 - as above

        found = [(name, self._certificate(name, form)) for name, form in ((CRT, "PEM"), (CER, "DER"))]
        there = [(name, certificate) for name, certificate in found if certificate]
        for name, certificate in there[:1]:
            if problem := certificate_problem(certificate, datetime.now(UTC)):
                self._fail(name, problem)
        if len(there) == 2 and there[0][1] != there[1][1]:
            self._fail(CER, f"expected the certificate of {CRT} as DER, found another one")
        return there[0][1] if there else None

    def key(self, certificate: Certificate | None) -> str:
        """Return where the key is; of a file, after it was compared with the certificate."""
        from oic.image.signing.keys import NotHereError, read_key  # noqa: PLC0415
        from oic.image.signing.token import parse_uri  # noqa: PLC0415

        node = self.node.get(KEY)
        path = find(node, self.places)
        try:
            if node.text.startswith(TOKEN):
                module = parse_uri(node.text).module
                if not os.path.isfile(module):
                    raise NotHereError(f"expected the PKCS #11 module of the URI, found no file {module}")  # noqa: TRY301
                return node.text
            public = read_key(path, is_to_sign=False).public_key()
        except NotHereError as error:
            self.missing.append((node, error.message))
            return ""
        except OicError as error:
            self._fail(KEY, error.message)
            return ""
        if certificate and public != certificate.public_key():
            self._fail(KEY, f"expected the private key of the certificate in {CRT}, found another key: {path}")
        return str(path.absolute())

    def _certificate(self, name: str, form: str) -> Certificate | None:
        from oic.image.signing.keys import NotHereError, read_certificate  # noqa: PLC0415

        node = self.node.get(name)
        if name not in _given(self.node):
            return None
        try:
            return read_certificate(find(node, self.places), form)
        except NotHereError as error:
            self.missing.append((node, error.message))
        except OicError as error:
            self._fail(name, error.message)
        return None

    def _fail(self, name: str, said: str) -> None:
        self.problems.append((self.node.get(name), said))
        self.has_failed = True

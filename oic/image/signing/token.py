"""A private key in a PKCS #11 token, such as a smart card or an HSM, named by a URI (RFC 7512).

    pkcs11:token=release;object=db?module-path=/usr/lib/softhsm/libsofthsm2.so

* The module runs on this host, outside the walls of a build: a token is a device or a service, and what reaches it is
  not in the build environment. It is called in a process of its own.
* The PIN is read as the pass phrase of a key file is: see `oic.image.signing.keys`. A URI with a PIN is refused.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from oic.errors import OicError
from oic.image.signing.keys import PASSPHRASE_FILE, passphrase
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.image.signing.cms import Signer

SCHEME = "pkcs11:"
_PATH, _QUERY = ("token", "serial", "object", "id", "type"), ("module-path",)


class TokenKey(Value):
    """A key in a token: what of token and key has to be so, and the file of the module that reaches it."""

    module: str
    token: str = ""
    serial: str = ""
    label: str = ""
    id: str = ""


def parse_uri(uri: str) -> TokenKey:
    """Return what a PKCS #11 URI names; raises OicError for one that names no key, or has a PIN."""
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    found = {**_attributes(path, ";", _PATH), **_attributes(query, "&", _QUERY)}
    if not found.get("module-path", b"").startswith(b"/"):
        raise OicError("expected a PKCS #11 URI with ?module-path=/…, the file that reaches the token, found none")
    if not found.get("object") and not found.get("id"):
        raise OicError("expected a PKCS #11 URI with object= or id= of the private key, found neither")
    if found.get("type", b"private") != b"private":
        raise OicError("expected a PKCS #11 URI of a private key, found another type")
    try:
        module, token, serial, label = (
            found.get(n, b"").decode() for n in ("module-path", "token", "serial", "object")
        )
    except UnicodeDecodeError:
        raise OicError("expected a PKCS #11 URI in UTF-8, found other bytes") from None
    return TokenKey(module=module, token=token, serial=serial, label=label, id=found.get("id", b"").hex())


def _attributes(text: str, separator: str, known: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, _, value in (one.partition("=") for one in text.split(separator) if one):
        if name in ("pin-value", "pin-source"):
            hint = f"the file that {PASSPHRASE_FILE} names in the environment has the PIN"
            raise OicError(f"expected a PKCS #11 URI without a PIN, found {name}; {hint}")
        if name not in known or name in found:
            raise OicError(f"expected {', '.join(known)} in a PKCS #11 URI, once each, found {name}")
        found[name] = unquote_to_bytes(value)
    return found


@contextlib.contextmanager
def opened(key: TokenKey) -> Iterator[Signer]:
    """Open the token and yield what signs with its key; raises OicError."""
    import pkcs11  # noqa: PLC0415 - only where there is a token

    pin = passphrase().decode(errors="replace")
    try:
        module = pkcs11.lib(key.module)
    except (RuntimeError, OSError):
        raise OicError("expected a PKCS #11 module, found another file or none", where=key.module) from None
    with _failures(key):
        token = module.get_token(token_label=key.token or None, token_serial=key.serial.encode() or None)
        with token.open(user_pin=pin) as session:
            private: Any = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                key_type=pkcs11.KeyType.RSA,
                label=key.label or None,
                id=bytes.fromhex(key.id) or None,
            )
            yield lambda data: bytes(private.sign(data, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))


@contextlib.contextmanager
def _failures(key: TokenKey) -> Iterator[None]:
    """Say in words what a token has refused."""
    from pkcs11 import exceptions  # noqa: PLC0415 - as above

    where = f"token {key.token or key.serial or 'of any name'}"
    try:
        yield
    except (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange):
        said = f"expected the PIN of the token in the file that {PASSPHRASE_FILE} names, found another"
        raise OicError(said, where=where) from None
    except exceptions.NoSuchToken:
        raise OicError("expected the token of the PKCS #11 URI, found none", where=where) from None
    except exceptions.NoSuchKey:
        raise OicError(
            "expected the private RSA key of the PKCS #11 URI in the token, found none", where=where
        ) from None
    except (exceptions.MultipleTokensReturned, exceptions.MultipleObjectsReturned):
        raise OicError("expected a PKCS #11 URI of one key, found several", where=where) from None
    except exceptions.PKCS11Error as error:
        raise OicError(f"the PKCS #11 token refused: {type(error).__name__}", where=where) from None

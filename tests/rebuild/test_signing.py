"""A signed image: a new key runs what signs and what follows; the key itself is found nowhere; it may be elsewhere."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from image.host import output
from image.own_keys import OwnKeys, make_keys

from oic.handover.disk import BootFiles, SignedFiles
from oic.image.boot.pe import without_signatures
from oic.image.signing.authenticode import signer_of
from oic.image.signing.keys import PASSPHRASE_FILE, read_certificate, read_key

from .families import DEB
from .test_verity import recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

SIGNED = {"sign", "disk", "evidence"}
PASSPHRASE = "a pass phrase that nothing else has"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def signed_recipe(place: Place, fields: Mapping[str, str]) -> dict[str, Any]:
    recipe = recipe_of(place)
    recipe["systemConfig"]["immutability"] = {"enabled": True, **fields}
    return recipe


def programs_in(place: Place, to: Path) -> dict[str, bytes]:
    """Return the programs of the ESP, as mtools reads them."""
    found = {}
    for program in SignedFiles.from_text((place.image / SignedFiles.FILE).read_text()).programs:
        output("mcopy", "-n", "-o", "-i", place.image / "esp-signed.img", f"::{program.name}", to / "program.efi")
        found[program.name] = (to / "program.efi").read_bytes()
    return found


def secrets_of(keys: OwnKeys) -> list[bytes]:
    """Return what of a private key must be nowhere: its text, its primes, the pass phrase."""
    key = read_key(keys.key)
    numbers = key.private_numbers()
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).splitlines()
    raw = [number.to_bytes(128, "big")[:64] for number in (numbers.p, numbers.q)]
    return [*raw, *plain[3:6], base64.b64encode(der)[300:340], PASSPHRASE.encode()]


@contextlib.contextmanager
def watched(secrets: Sequence[bytes]) -> Iterator[list[str]]:
    """Look for secrets in the arguments and the environment of every process, over and over."""
    found: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for name in ("environ", "cmdline"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    with contextlib.suppress(OSError):
                        content = path.read_bytes()
                        found.extend(str(path) for secret in secrets if secret in content)
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def places_with(secrets: Sequence[bytes], root: Path) -> list[str]:
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path) for path in files if any(secret in path.read_bytes() for secret in secrets)]


def test_a_secret_that_is_there_is_found(tmp_path: Path) -> None:
    """Otherwise the test below would pass for nothing."""
    secrets = secrets_of(make_keys(tmp_path))
    (tmp_path / "log").write_bytes(b"key: " + secrets[2])
    assert sorted(places_with(secrets, tmp_path)) == [str(tmp_path / "db.key"), str(tmp_path / "log")]
    with watched(secrets) as found:
        subprocess.run(["sleep", "1"], env={"SECRET": PASSPHRASE}, check=True)
        subprocess.run(["sh", "-c", "sleep 1", PASSPHRASE], check=True)
    assert {place.rpartition("/")[2] for place in found} == {"environ", "cmdline"}


@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_a_key_signs_and_is_found_nowhere(place: Place, tmp_path: Path) -> None:
    keys = make_keys(place.root, passphrase=PASSPHRASE.encode())
    (tmp_path / "phrase").write_text(PASSPHRASE)
    place.environment[PASSPHRASE_FILE] = str(tmp_path / "phrase")
    os.environ[PASSPHRASE_FILE] = str(tmp_path / "phrase")  # of this test, to read the key
    secrets = secrets_of(keys)
    del os.environ[PASSPHRASE_FILE]
    place.write(signed_recipe(place, keys.recipe))
    with watched(secrets) as found:
        said = place.doit("build").succeeded()
    assert "sign" in said.stages()
    assert found == []
    assert places_with(secrets, place.cache) == []
    assert not [secret for secret in secrets if secret.decode("latin-1") in said.said]
    assert place.doit("build").succeeded().ran == []
    certificate = read_certificate(keys.crt, "PEM")
    assert {signer_of(content, name) for name, content in programs_in(place, tmp_path).items()} == {certificate}


def other_keys(place: Place) -> Mapping[str, str]:
    return make_keys(place.root, "other").recipe


def moved(place: Place) -> Mapping[str, str]:
    """The same key in another file, and encrypted."""
    key = read_key(place.root / "db.key")
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode()))
    (place.root / "moved.pem").write_bytes(encrypted)
    (place.root / "phrase").write_text(PASSPHRASE)
    place.environment[PASSPHRASE_FILE] = str(place.root / "phrase")
    return {**OwnKeys.of(place.root, "db").recipe, "secureBootDBKey": "moved.pem"}


def in_token(place: Place) -> Mapping[str, str]:
    """The same key in a token."""
    (place.root / "tokens").mkdir()
    (place.root / "softhsm.conf").write_text(f"directories.tokendir = {place.root}/tokens\n")
    (place.root / "pin").write_text("1234\n")
    own = {"SOFTHSM2_CONF": str(place.root / "softhsm.conf")}
    for words in (
        "--init-token --free --label oic --pin 1234 --so-pin 5678",
        f"--import {place.root}/db.key --token oic --label db --id a1 --pin 1234",
    ):
        argv = ["softhsm2-util", *words.split()]
        subprocess.run(argv, env={**os.environ, **own}, check=True, capture_output=True)
    place.environment.update({**own, PASSPHRASE_FILE: str(place.root / "pin")})
    uri = f"pkcs11:token=oic;object=db?module-path={MODULE}"
    return {**OwnKeys.of(place.root, "db").recipe, "secureBootDBKey": uri}


EDITS = {"another key": (other_keys, SIGNED), "a moved key": (moved, set()), "a token": (in_token, {"sign"})}


@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_another_key_runs_what_signs_and_what_follows(place: Place) -> None:
    first = signed_recipe(place, make_keys(place.root).recipe)
    place.write(first)
    place.doit("build").succeeded()
    before = (place.image / SignedFiles.FILE).read_text()
    wrong = {}
    for name, (edit, expected) in EDITS.items():
        place.write(signed_recipe(place, edit(place)))
        ran = place.doit("build").succeeded().stages()
        if ran != expected or place.doit("build").succeeded().ran:
            wrong[name] = (sorted(ran), sorted(expected))
        place.environment.clear()
        place.write(first)
        place.doit("build").succeeded()
        assert (place.image / SignedFiles.FILE).read_text() == before, "the same key gives the same bytes"
    without = recipe_of(place)
    place.write(without)
    assert place.doit("build").succeeded().stages() == {"boot", "disk", "evidence"}
    assert not list(place.image.glob("*.cer")), "it would be taken for that of this image"
    place.write(first)
    place.doit("build").succeeded()
    assert (place.image / SignedFiles.FILE).read_text() == before
    first["systemConfig"]["kernel"]["cmdline"] = "quiet"
    place.write(first)
    assert place.doit("build").succeeded().stages() == {"boot", *SIGNED}
    assert wrong == {}


@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_an_image_signed_elsewhere_is_the_same_but_for_the_signature(place: Place, tmp_path: Path) -> None:
    keys, others = make_keys(tmp_path), make_keys(tmp_path, "other")
    place.write(signed_recipe(place, keys.recipe))
    place.doit("build").succeeded()
    here = programs_in(place, tmp_path)
    named = {name: keys.recipe[name] for name in ("secureBootDBCrt", "secureBootDBCer")}
    place.write(signed_recipe(place, {**named, "signing": "elsewhere"}))
    said = place.doit("build").refused("programs are to be signed elsewhere", "doit sign-import image=small.yml from=")
    assert said.stages() == {"sign"}
    argv: list[str | Path] = [Path(sys.executable).with_name("oic"), "build", "small.yml", f"cache={place.cache}"]
    done = subprocess.run(argv, cwd=place.root, env=place.variables(), capture_output=True, check=False)
    assert done.returncode == 4, done.stderr
    place.doit("reproduce").refused("expected a recipe that is signed here")
    unsigned, back = place.image / "signing", place.root / "back"
    assert sorted(path.suffix for path in unsigned.iterdir()) == [".EFI", ".efi", ".json"]
    place.doit("sign-import", "from=signing").refused("expected the signed program, found no readable file")
    shutil.copytree(unsigned, back)
    place.doit("sign-import", "from=back").refused("expected one signature, found none")
    sign_all(unsigned, back, others)
    subject = read_certificate(keys.crt, "PEM").subject.rfc4514_string()
    place.doit("sign-import", "from=back").refused(f"expected a signature by {subject}, found one by CN=other")
    sign_all(unsigned, back, keys)
    changed = bytearray((back / "BOOTX64.EFI").read_bytes())
    changed[0x200] ^= 1
    (back / "BOOTX64.EFI").write_bytes(changed)
    place.doit("sign-import", "from=back").refused("the same but for its signature, found other bytes")
    assert not list(place.image.glob("signatures/*"))
    sign_all(unsigned, back, keys)
    assert "goes on" in place.doit("sign-import", "from=back").succeeded().said
    assert place.doit("build").succeeded().stages() == SIGNED
    assert place.doit("build").succeeded().ran == []
    elsewhere = programs_in(place, tmp_path)
    assert elsewhere.keys() == here.keys()
    for name, content in elsewhere.items():
        assert content != here[name], "sbsign writes a time"
        assert without_signatures(content, name) == without_signatures(here[name], name)
    handed = BootFiles.from_text((place.image / BootFiles.FILE).read_text()).to_sign
    assert {entry.name for entry in handed or ()} >= elsewhere.keys()


def sign_all(unsigned: Path, back: Path, keys: OwnKeys) -> None:
    for program in unsigned.glob("*.[eE]*"):
        output("sbsign", "--key", keys.key, "--cert", keys.crt, "--output", back / program.name, program)

"""The deb family: packages, indexes, relations, versions."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

from provider.deb.hostile import COMPRESSIONS, CONTROL, ar, deb, entry, tar

from fuzz.harness import Harness
from fuzz.locks import expect_readable
from oic.deb822 import fields_of
from oic.ospackage.locked import AskedSet
from oic.provider.compression import package_limit
from oic.provider.deb.archive import entries_of, read_deb, tar_of
from oic.provider.deb.database import _stanza, info_name, triggers_of
from oic.provider.deb.packages import PackagesIndex, is_package
from oic.provider.deb.relation import _parse_relation, clause_text, parse_relations
from oic.provider.deb.release import check_release, parse_release
from oic.provider.deb.signature import text_between
from oic.provider.deb.solve import _solve_set
from oic.provider.deb.universe import PackageSource, Universe
from oic.provider.deb.unpack import Unpacked, _checked_path, conffile_names
from oic.provider.deb.version import version_key

WHERE = "a package"
URL = "http://mirror.invalid/debian"
INDEX = Path(__file__).parents[1] / "data/solver/index/small.json"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _read_package(data: bytes) -> None:
    file = io.BytesIO(data)
    package = read_deb(file, WHERE)
    paths, total = [], 0
    with tar_of(file, package.data, WHERE) as archive:
        for one in entries_of(archive, WHERE):
            path = _checked_path(one, WHERE)
            assert ".." not in path.split("/"), path
            assert not path or path.startswith("/"), path
            assert "\n" not in path
            paths.append(path or "/.")
            reader = archive.extractfile(one) if one.isreg() else None
            while reader and (piece := reader.read(1 << 16)):
                total += len(piece)
    assert total <= package_limit(len(data))
    unpacked = Unpacked(
        name="a",
        control=package.control,
        paths=tuple(paths),
        directories={},
        conffiles=dict.fromkeys(conffile_names(package), "0" * 32),
        clashes=(),
        newest=0,
    )
    _into_database(unpacked)


def _into_database(unpacked: Unpacked) -> None:
    said = unpacked.control["control"].content.decode("utf-8", "replace")
    fields = fields_of(said)  # all that comes before, as the verify stage has it
    if not is_package(fields["package"], fields["version"], fields["architecture"]):
        return  # another than any lock names
    text = unpacked.control["control"].content.decode("utf-8", "surrogateescape")
    stem = info_name(fields_of(text))
    assert "\n" not in stem
    assert not stem.startswith("/"), stem
    assert ".." not in stem.split("/"), stem
    _stanza(text, unpacked)
    triggers_of(unpacked)


def _read_control(data: bytes) -> None:
    _read_package(ar({"debian-binary": b"2.0\n", "control.tar": data, "data.tar": tar()}))


def _read_stanza(data: bytes) -> None:
    try:
        fields = fields_of(data.decode("utf-8", "replace"))
    finally:
        control = tar(entry("./control", data), entry("./triggers", data), entry("./conffiles", data))
        _read_control(control)
    assert all(name == name.lower().strip() for name in fields)


def _read_data(data: bytes) -> None:
    _read_package(ar({"debian-binary": b"2.0\n", "control.tar": _CONTROL_TAR, "data.tar": data}))


_CONTROL_TAR = tar(entry("./control", CONTROL))


def _read_packages(data: bytes) -> PackagesIndex:
    for cache in (parse_relations, _parse_relation, version_key):
        cache.cache_clear()
    index = PackagesIndex("main", "amd64")
    index.add(data)
    for name in list(index.names)[:8]:
        list(index.packages(name))
        index.mention(name)
    return index


def _solve(data: bytes) -> None:
    index = _read_packages(data)
    universe = Universe([PackageSource(index=index)], "amd64")
    asked = AskedSet(names=tuple(index.names)[:2], essential=True)
    packages = _solve_set(universe, asked, {"main": URL}, recommends=True)
    expect_readable(packages, URL)


def _read_relations(data: bytes) -> None:
    parse_relations.cache_clear()
    _parse_relation.cache_clear()
    clauses = parse_relations(data.decode("utf-8", "replace"), "amd64")
    assert parse_relations(", ".join(map(clause_text, clauses)), "amd64") == clauses


def _compare(data: bytes) -> None:
    version_key.cache_clear()
    one, two, three, *_ = [*data.decode("utf-8", "replace").split("\n"), "", ""]
    keys = sorted(map(version_key, (one, two, three)))
    assert keys[0] <= keys[1] <= keys[2]
    assert keys[0] <= keys[2]
    assert (version_key(one) < version_key(two)) + (version_key(one) > version_key(two)) + (
        version_key(one) == version_key(two)
    ) == 1


def _read_release(data: bytes) -> None:
    release = parse_release(data.decode("utf-8", "replace"), where="Release")
    for file in release.files.values():
        assert not file.path.startswith("/")
        assert ".." not in file.path.split("/")
    check_release(release, "bookworm", NOW, where="Release")


def _read_inrelease(data: bytes) -> None:
    text = text_between(data.decode("utf-8", "replace"), where="InRelease")
    _read_release(text.encode())


def _stanzas(packages: list[dict[str, str]]) -> bytes:
    common = {"Architecture": "amd64", "Filename": "pool/a.deb", "Size": "1", "SHA256": "0" * 64}
    return "\n".join(
        "".join(f"{name}: {value}\n" for name, value in {**one, **common}.items()) for one in packages
    ).encode()


def _indexes() -> list[bytes]:
    packages = json.loads(INDEX.read_text())["repositories"]["main"]
    groups = [packages[at : at + 4] for at in range(0, len(packages), 4)]
    return [_stanzas(group) for group in groups][:12]


def _releases() -> list[bytes]:
    head = "Suite: stable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nArchitectures: all amd64\n"
    more = "Valid-Until: Sat, 18 Jul 2027 10:16:37 +0200\nAcquire-By-Hash: yes\nComponents: main contrib\n"
    files = f"SHA256:\n {'0' * 64} 1234 main/binary-amd64/Packages.xz\n {'1' * 64} 5 main/binary-all/Packages\n"
    return [f"{head}{files}".encode(), f"{head}{more}MD5Sum:\n {'0' * 32} 1 a\n{files}".encode()]


def _inreleases() -> list[bytes]:
    begin = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
    end = b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n=abcd\n-----END PGP SIGNATURE-----\n"
    return [begin + release + end for release in _releases()]


def _data_tars() -> list[bytes]:
    return [
        tar(entry("./", type=b"5"), entry("./usr/", type=b"5"), entry("./usr/a", b"content"), entry("./b" * 60, b"x")),
        tar(
            entry("./l", type=b"2", linkname="usr/a"), entry("./h", type=b"1", linkname="./l"), entry("./p", type=b"6")
        ),
    ]


def _control_tars() -> list[bytes]:
    files = {"control": CONTROL, "conffiles": b"/etc/a\n", "triggers": b"interest-noawait /usr/lib\nactivate a\n"}
    scripts = {"postinst": b"#!/bin/sh\n", "md5sums": b"d41d8cd98f00b204e9800998ecf8427e  etc/a\n"}
    return [_CONTROL_TAR, tar(*(entry(f"./{name}", text) for name, text in {**files, **scripts}.items()))]


def _controls() -> list[bytes]:
    return [
        CONTROL,
        CONTROL + b"Multi-Arch: same\nDepends: a,\n b\nEssential: yes\n",
        b"interest /usr\nactivate b # c\n",
    ]


HARNESSES = (
    Harness(
        name="deb-package",
        run=_read_package,
        seeds=lambda: [deb(_data_tars()[0], compression=ending) for ending in COMPRESSIONS],
        mutants=400,
        most=32768,
        fuzz_seconds=600,
    ),
    Harness(name="deb-control", run=_read_control, seeds=_control_tars, mutants=400, most=16384, fuzz_seconds=600),
    Harness(name="deb-data", run=_read_data, seeds=_data_tars, mutants=400, most=16384, fuzz_seconds=600),
    Harness(name="deb-stanza", run=_read_stanza, seeds=_controls, mutants=400),
    Harness(name="deb-packages", run=_read_packages, seeds=_indexes),
    Harness(name="deb-solve", run=_solve, seeds=_indexes, lines=True, mutants=400),
    Harness(
        name="deb-relations", run=_read_relations, seeds=lambda: [b"libc6 (>= 2.36), a | b:any, c [!i386] (<< 1~)"]
    ),
    Harness(name="deb-versions", run=_compare, seeds=lambda: [b"1:2.0-1+b1\n2.0~rc1-1\n2.0.1"]),
    Harness(name="deb-release", run=_read_release, seeds=_releases),
    Harness(name="deb-inrelease", run=_read_inrelease, seeds=_inreleases),
)

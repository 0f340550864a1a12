"""What dpkg itself makes of a few small packages is what oic makes of them, quickly and with all in order."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from oic.chroot import namespace, overlay
from oic.chroot.tree import Tree
from oic.errors import ToolError, TrustError
from oic.provider.deb.install import install

from .small_root import (
    Small,
    installed_by_dpkg,
    installed_by_oic,
    is_dpkg_s_own,
    make_root,
    needs,
)
from .tree_oracle import entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg: apt-get install dpkg")

SUMS = "0" * 32 + "  usr/share/both\n"  # md5sums: all a package says beforehand of what it holds


def _shared_bits(source: Path) -> None:
    os.link(source / "usr/lib/one", source / "usr/lib/two")
    (source / "usr/lib/one").chmod(0o4755)
    (source / "usr/lib/three").symlink_to("one")
    (source / "usr/lib/dangling").symlink_to("/nowhere/at/all")
    (source / "var/spool/odd").mkdir(parents=True)
    (source / "var/spool/odd").chmod(0o3770)
    os.mkfifo(source / "var/spool/odd/pipe", 0o600)


def _divert(path: str) -> str:
    return f"dpkg-divert --package diverting --add --rename --divert {path}.real {path}"


LOUD = 'echo "$DPKG_MAINTSCRIPT_PACKAGE $DPKG_MAINTSCRIPT_NAME $*" >> /var/log/said'

SETS: dict[str, list[Small]] = {
    "plain": [
        Small(name="a", files={"/usr/share/a/file": "a", "/usr/share/a/empty/": ""}),
        Small(name="b", files={"/usr/share/b": "b", "/bin/b": "through the link"}, needs=needs("a")),
    ],
    "links, modes and pipes": [
        Small(name="a", files={"/usr/lib/one": "1"}, shape=_shared_bits),
    ],
    "odd names": [
        Small(name="a", files={"/usr/share/a b/ü/ -x": "1", "/usr/share/" + "n" * 120 + "/" + "m" * 120: "2"}),
    ],
    "the later replaces the earlier": [
        Small(name="a", files={"/usr/share/both": "of a", "/usr/share/a": ""}, scripts={"md5sums": SUMS}),
        Small(name="b", files={"/usr/share/both": "of b"}, scripts={"md5sums": SUMS}, fields={"Replaces": "a"}),
    ],
    "the earlier replaces the later": [
        Small(name="a", files={"/usr/share/both": "of a"}, scripts={"md5sums": SUMS}, fields={"Replaces": "b"}),
        Small(name="b", files={"/usr/share/both": "of b", "/usr/share/b": ""}, scripts={"md5sums": SUMS}),
    ],
    "replaces, unannounced": [
        Small(name="a", files={"/usr/share/both": "of a"}),
        Small(name="b", files={"/usr/share/both": "of b"}, fields={"Replaces": "a"}),
    ],
    "diverts what came before": [
        Small(name="a", files={"/usr/bin/tool": "of a"}),
        Small(name="diverting", files={"/usr/bin/tool": "better"}, scripts={"preinst": _divert("/usr/bin/tool")}),
    ],
    "diverts what comes after": [
        Small(name="diverting", files={"/usr/bin/tool": "better"}, scripts={"preinst": _divert("/usr/bin/tool")}),
        Small(name="z", files={"/usr/bin/tool": "of z"}),
    ],
    "diverts and ships nothing": [
        Small(name="diverting", scripts={"preinst": _divert("/usr/bin/tool")}),
        Small(name="z", files={"/usr/bin/tool": "of z"}),
    ],
    "conffiles": [
        Small(
            name="a",
            files={"/etc/z.conf": "z\n", "/etc/a.conf": "a\n", "/etc/no.conf": ""},
            scripts={"conffiles": "/etc/z.conf\n/etc/a.conf\n", "postinst": "echo more >> /etc/a.conf"},
        ),
    ],
    "overrides": [
        Small(
            name="a",
            files={"/usr/bin/a": ""},
            scripts={"preinst": "dpkg-statoverride --add root mail 2755 /usr/bin/a"},
        ),
    ],
    "named triggers": [
        Small(name="a", scripts={"triggers": "interest-noawait one\ninterest two\n", "postinst": LOUD}),
        Small(name="b", scripts={"triggers": "activate-noawait one\n", "postinst": LOUD}, needs=needs("a")),
        Small(name="c", scripts={"triggers": "activate two\n", "postinst": LOUD}, needs=needs("a")),
    ],
    "file triggers": [
        Small(name="a", scripts={"triggers": "interest-noawait /usr/share/things\n", "postinst": LOUD}),
        Small(name="b", files={"/usr/share/things/b": ""}, scripts={"postinst": LOUD}),
    ],
    "what preinst needs is configured": [
        Small(name="a", files={"/usr/share/a": ""}, scripts={"postinst": "cp /usr/share/a /var/ready"}),
        Small(
            name="b",
            scripts={"preinst": "test -e /var/ready"},
            fields={"Pre-Depends": "a"},
            needs=needs("a", kind="Pre-Depends"),
        ),
    ],
    "a link where a directory is": [
        Small(name="a", files={"/usr/share/place/a": ""}),
        Small(name="b", shape=lambda source: _linked(source, "usr/share/place", "elsewhere")),
    ],
    "a directory where a link is": [
        Small(name="a", files={"/usr/share/real/a": ""}, shape=lambda place: _linked(place, "usr/share/place", "real")),
        Small(name="b", files={"/usr/share/place/b": ""}),
    ],
    "architectures": [
        Small(name="a", files={"/usr/lib/a": ""}, fields={"Multi-Arch": "same", "Architecture": "amd64"}),
    ],
    "says what it was called with": [
        Small(name="a", scripts={"preinst": LOUD, "postinst": LOUD}),
        Small(name="b", scripts={"preinst": LOUD, "postinst": LOUD}, needs=needs("a")),
    ],
}


def _linked(source: Path, link: str, target: str) -> None:
    (source / link).parent.mkdir(parents=True, exist_ok=True)
    (source / link).symlink_to(target)


def _entries(tree: Path) -> dict[str, Any]:
    """Describe a tree, without times of what scripts made and without what dpkg keeps for itself."""
    found = {path: values for path, values in entries(tree, 0).items() if not is_dpkg_s_own(path)}
    status = (tree / "var/lib/dpkg/status").read_text()
    return {**found, "status": status, "triggers": _lines(tree / "var/lib/dpkg/triggers/File")}


def _lines(file: Path) -> list[str]:
    return sorted(file.read_text().splitlines()) if file.exists() else []


def _ways(small: Sequence[Small], place: Path) -> dict[str, dict[str, Any]]:
    root = make_root(place / "base")
    (place / "debs").mkdir()
    packages = [entry.make(place / "debs") for entry in small]
    found = {"dpkg": _entries(installed_by_dpkg(root, packages, place / "dpkg"))}
    for way, in_order in (("oic", False), ("in order", True)):
        found[way] = _entries(installed_by_oic(root, packages, place / way, in_order=in_order))
    return found


@pytest.mark.parametrize("case", SETS)
def test_the_tree_is_the_one_that_dpkg_makes(case: str, tmp_path: Path) -> None:
    trees = namespace.call(_ways, SETS[case], tmp_path, writes=[tmp_path])
    assert trees["in order"] == trees["dpkg"]
    assert trees["oic"] == trees["dpkg"]
    began_anew = "installing one package at a time" in (tmp_path / "oic/log").read_text()
    if case != "a directory where a link is":  # two processes unpack: the directory may be there before the link
        assert began_anew is (case in ("replaces, unannounced", "a link where a directory is"))


def _epochs(small: Sequence[Small], place: Path) -> list[int]:
    for way, in_order in (("quick", False), ("in order", True)):
        (place / way / "debs").mkdir(parents=True)
        packages = [entry.make(place / way / "debs") for entry in small]
        installed_by_oic(make_root(place / way / "base"), packages, place / way / "tree", in_order=in_order)
    return [int((place / way / "tree/epoch").read_text()) for way in ("quick", "in order")]


def test_the_epoch_is_that_of_the_newest_package_for_both_ways_to_unpack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")  # as Debian's builders have it: dpkg-deb lets no time pass it
    small = [Small(name="a", files={"/usr/a": ""}), Small(name="b", files={"/usr/b": ""}, scripts={"preinst": ":"})]
    assert namespace.call(_epochs, small, tmp_path, writes=[tmp_path]) == [1234567890, 1234567890]


def _contents(small: Sequence[Small], place: Path, path: str) -> str:
    root = make_root(place / "base")
    (place / "debs").mkdir()
    tree = installed_by_oic(root, [entry.make(place / "debs") for entry in small], place / "quick")
    return (tree / path).read_text()


@pytest.mark.parametrize(
    ("case", "path", "expected"),
    [
        ("the later replaces the earlier", "usr/share/both", "of b"),
        ("the earlier replaces the later", "usr/share/both", "of a"),
        ("diverts what came before", "usr/bin/tool", "better"),
        ("diverts what came before", "usr/bin/tool.real", "of a"),
        ("diverts what comes after", "usr/bin/tool.real", "of z"),
        ("what preinst needs is configured", "var/ready", ""),
    ],
)
def test_a_replacing_package_writes_a_shared_path_last(case: str, path: str, expected: str, tmp_path: Path) -> None:
    assert namespace.call(_contents, SETS[case], tmp_path, path, writes=[tmp_path]) == expected


def _layered(small: Sequence[Small], place: Path, install_first: Callable[..., Path]) -> dict[str, Any]:
    """Install the first package with dpkg, everything else as a layer above it by oic or by dpkg."""
    (place / "debs").mkdir()
    packages = [entry.make(place / "debs") for entry in small]
    base = installed_by_dpkg(make_root(place / "base"), packages[:1], place / "first")
    (base / "var/log/said").unlink(missing_ok=True)
    if install_first is installed_by_oic:
        return _entries(installed_by_oic(base, packages[1:], place / "oic"))
    return _entries(installed_by_dpkg(base, packages[1:], place / "dpkg"))


@pytest.mark.parametrize("case", ["named triggers", "file triggers", "plain"])
def test_packages_of_a_layer_receive_triggers_of_the_layer_above(case: str, tmp_path: Path) -> None:
    for way in ("oic", "dpkg"):
        (tmp_path / way).mkdir()
    ours = namespace.call(_layered, SETS[case], tmp_path / "oic", installed_by_oic, writes=[tmp_path])
    theirs = namespace.call(_layered, SETS[case], tmp_path / "dpkg", installed_by_dpkg, writes=[tmp_path])
    assert ours == theirs


@pytest.mark.parametrize(
    "first",
    [
        Small(name="diverting", scripts={"postinst": _divert("/usr/bin/tool")}),
        Small(name="a", scripts={"postinst": "dpkg-statoverride --add root mail 2755 /usr/bin/tool"}),
    ],
    ids=["diversion", "statoverride"],
)
def test_diversions_of_a_layer_apply_to_the_layers_above(first: Small, tmp_path: Path) -> None:
    announced = {"md5sums": "0" * 32 + "  usr/bin/tool\n"}
    small = [first, Small(name="z", files={"/usr/bin/tool": "of z"}, scripts=announced)]
    for way in ("oic", "dpkg"):
        (tmp_path / way).mkdir()
    ours = namespace.call(_layered, small, tmp_path / "oic", installed_by_oic, writes=[tmp_path])
    theirs = namespace.call(_layered, small, tmp_path / "dpkg", installed_by_dpkg, writes=[tmp_path])
    assert ours == theirs


def test_a_diverted_path_makes_dpkg_unpack_everything_in_order(tmp_path: Path) -> None:
    small = [Small(name="diverting", scripts={"postinst": _divert("/usr/bin/tool")})]
    small.append(Small(name="z", files={"/usr/bin/tool": "nobody said", "/usr/bin/other": "of z"}))
    for way in ("oic", "dpkg"):
        (tmp_path / way).mkdir()
    ours = namespace.call(_layered, small, tmp_path / "oic", installed_by_oic, writes=[tmp_path])
    theirs = namespace.call(_layered, small, tmp_path / "dpkg", installed_by_dpkg, writes=[tmp_path])
    assert ours == theirs
    said = (tmp_path / "oic/oic/log").read_text()
    assert "claimed twice: /usr/bin/tool of z: installing one package at a time\n" in said
    marks = [path for path in (tmp_path / "oic/oic/upper").rglob("*") if _marks(path)]
    assert marks == [], "what was begun left nothing in the layer"


def _marks(path: Path) -> list[str]:
    return [name for name in os.listxattr(path, follow_symlinks=False) if name.endswith((".whiteout", ".opaque"))]


def test_a_bootstrap_set_with_a_path_in_two_packages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "debs").mkdir()
    small = [Small(name=name, files={"/usr/share/both": name}) for name in ("a", "b")]
    with pytest.raises(TrustError, match=r"no order of its packages is known: claimed twice: /usr/share/both of [ab]$"):
        namespace.call(_bootstrap, [entry.make(tmp_path / "debs") for entry in small], tmp_path, writes=[tmp_path])


def _bootstrap(packages: Sequence[tuple[LockedPackage, Path]], place: Path) -> None:
    upper, log = place / "tree", place / "log"
    upper.mkdir()
    with overlay.merged([], place / "root", upper=upper) as root:
        tree = Tree(root=root, below=(), upper=upper, log=log, epoch=0, tools=place, work=place / "tools")
        install(packages, tree)


def test_a_failing_script_is_an_error_with_its_last_output(tmp_path: Path) -> None:
    small = [Small(name="a", scripts={"postinst": "echo 'the disk is square' >&2; exit 3"})]
    with pytest.raises(ToolError) as raised:
        namespace.call(_contents, small, tmp_path, "etc/passwd", writes=[tmp_path])
    said = str(raised.value)
    assert "the disk is square" in said
    assert "exit status 3" in said
    assert str(tmp_path / "quick/log") in said


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_two_owners_of_a_path_are_refused_with_dpkg_s_message(order: tuple[str, str], tmp_path: Path) -> None:
    small = [Small(name=name, files={"/usr/share/both": name}, scripts={"md5sums": SUMS}) for name in order]
    words = f"trying to overwrite '/usr/share/both', which is also in package {order[0]} 1"
    with pytest.raises(ToolError, match=words):
        namespace.call(_contents, small, tmp_path, "usr/share/both", writes=[tmp_path])

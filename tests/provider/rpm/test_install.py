"""Sets installed by the host's own rpm into empty trees: what is in them, failing scriptlets, twice the same."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.errors import ToolError
from oic.process.run import TIMEOUT_VARIABLE
from oic.provider.rpm.scripts import ENDING
from oic.provider.rpm.temporary_file import temporary_file

from .small_root import installed, make_filesystem, make_tools, rpmbuild

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rpms")
    make_tools(place / "tools")
    make_filesystem(place)
    return place


def small(shop: Path, body: str, name: str = "small") -> list[Path]:
    package = rpmbuild(shop / hashlib.sha256(body.encode()).hexdigest()[:8], name, f"%description\nSmall.\n{body}")
    return [package, shop / "rpms-filesystem/filesystem.rpm"]


def rpm(tree: Path, *words: str) -> str:
    argv = ["rpm", "--root", str(tree), "--dbpath", "/var/lib/rpm", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def contents(tree: Path) -> dict[str, str]:
    found = {}
    for path in sorted(tree.rglob("*")):
        status = path.lstat()
        text = os.readlink(path) if path.is_symlink() else path.read_bytes().hex() if path.is_file() else ""
        found[str(path.relative_to(tree))] = f"{status.st_mode:o} {status.st_uid} {status.st_gid} {text}"
    return found


FILES = (
    "%install\nmkdir -p %{buildroot}/usr/share\necho hello > %{buildroot}/usr/share/hello\n%files\n/usr/share/hello\n"
)


def test_the_database_lists_the_packages_and_their_files_verify(shop: Path, tmp_path: Path) -> None:
    done = installed(small(shop, FILES), shop / "tools", tmp_path)
    sizes = {path.name: path.stat().st_size for path in (done.tree / "var/lib/rpm").iterdir()}
    assert sizes == {"rpmdb.sqlite": sizes["rpmdb.sqlite"], "rpmdb.sqlite-shm": 32768, "rpmdb.sqlite-wal": 0}
    assert not any((done.tree / "var/lib/rpm/rpmdb.sqlite-shm").read_bytes())
    assert rpm(done.tree, "-qa", "--qf", "%{NAME} ").split() == ["filesystem", "small"]
    assert rpm(done.tree, "-Va") == ""
    assert rpm(done.tree, "-q", "--qf", "%{INSTALLTID}", "small") == str(done.epoch)


def test_an_ordinary_user_can_query_the_database(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    tree = installed(small(shop, FILES), shop / "tools", tmp_path_factory.mktemp("installed")).tree
    with tempfile.TemporaryDirectory() as place:  # pytest's own directories are closed to others
        shutil.copytree(tree / "var/lib/rpm", f"{place}/rpm")
        os.chmod(place, 0o755)
        argv = ["rpm", "--dbpath", f"{place}/rpm", "-q", "small"]
        asked = subprocess.run(argv, user="nobody", capture_output=True, text=True, check=False)
    assert asked.stdout == "small-1-1.x86_64\n", asked.stderr


def test_two_installations_give_the_same_tree(shop: Path, tmp_path: Path) -> None:
    files = small(shop, FILES)
    first = installed(files, shop / "tools", tmp_path / "1")
    second = installed(files, shop / "tools", tmp_path / "2")
    assert contents(first.tree) == contents(second.tree)


def test_mounted_directories_get_the_mode_of_their_package_and_stay_empty(shop: Path, tmp_path: Path) -> None:
    tree = installed(small(shop, FILES), shop / "tools", tmp_path).tree
    modes = {name: (tree / name).stat().st_mode & 0o7777 for name in ("proc", "sys", "dev", "tmp")}
    assert modes == {"proc": 0o555, "sys": 0o555, "dev": 0o755, "tmp": 0o1777}
    assert not [path for name in modes for path in (tree / name).iterdir()]


def test_a_package_may_contain_the_mounted_directories(shop: Path, tmp_path: Path) -> None:
    """As the family's own ``filesystem`` does, for whom they are ghosts."""
    lua = '%pretrans -p <lua>\nfor _, at in ipairs({"/proc", "/sys"}) do posix.mkdir(at) posix.chmod(at, 0555) end\n'
    tree = installed(small(shop, f"{lua}%files\n"), shop / "tools", tmp_path).tree
    assert [(tree / name).stat().st_mode & 0o7777 for name in ("proc", "sys")] == [0o555, 0o555]


def test_a_missing_owner_gets_a_note(shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    owned = FILES.replace("%files\n", "%files\n%attr(-,nobodyhere,root) ")
    installed(small(shop, owned), shop / "tools", tmp_path)
    assert "note: files of the user nobodyhere belong to root: there was no such user" in capfd.readouterr().err


FAILING = {
    "%pre": ("%files\n%pre\nexit 7\n", "%prein"),
    "%post": ("%files\n%post\nexit 7\n", "%post"),
    "%posttrans": ("%files\n%posttrans\nkill -9 $$\n", "%posttrans"),
    "lua": ('%files\n%post -p <lua>\nerror("no")\n', "%post"),
    "half a line": ("%files\n%post\nprintf working; exit 7\n", "%post"),
    "half a line of a trigger": (
        "%files\n%transfiletriggerin -- /usr\nprintf working >&2; exit 7\n",
        "%transfiletriggerin",
    ),
    "half a line of lua": ('%files\n%post -p <lua>\nio.write("working") io.flush() error("no")\n', "%post"),
    "trigger": ("%files\n%triggerin -- filesystem\nexit 7\n", "%triggerin"),
    "file trigger": ("%files\n%transfiletriggerin -- /usr\nexit 7\n", "%transfiletriggerin"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_failing_scriptlet_is_an_error_that_names_it(kind: str, shop: Path, tmp_path: Path) -> None:
    body, name = FAILING[kind]
    with pytest.raises(ToolError) as caught:
        installed(small(shop, body), shop / "tools", tmp_path)
    said = str(caught.value)
    if name in ENDING:
        assert said.splitlines()[0].startswith(f"{tmp_path / 'log'}: scriptlet {name}(small-1-1")
        assert "scriptletsMayFail" not in said
    else:
        assert said.startswith(f"{tmp_path / 'log'}: the scriptlet {name} of small failed: ")
        assert f"if that is harmless, systemConfig.scriptletsMayFail: [small {name}] lets it pass" in said
    assert "failed: " in said


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("whole", [True, False])
def test_a_failing_scriptlet_can_be_allowed_where_rpm_continues(
    kind: str,
    whole: bool,  # noqa: FBT001
    shop: Path,
    tmp_path: Path,
) -> None:
    body, name = FAILING[kind]
    files = small(shop, body)
    may_fail = ["small" if whole else f"small {name}"]
    if name in ENDING:
        with pytest.raises(ToolError, match=rf"scriptlet {name}\(small-1-1.*exit status 7"):
            installed(files, shop / "tools", tmp_path, may_fail)
        return
    done = installed(files, shop / "tools", tmp_path, may_fail)
    (passed,) = done.passed
    assert (passed.package, passed.phase) == ("small", name)
    assert passed.lines == (("working",) if kind.startswith("half") else ())
    assert rpm(done.tree, "-qa", "--qf", "%{NAME} ").split() == ["filesystem", "small"]


@pytest.mark.parametrize("word", ["filesystem", "small %posttrans", "smal", "small-1"])
def test_only_the_named_scriptlet_may_fail(word: str, shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the scriptlet %post of small failed: exit status 7"):
        installed(small(shop, "%files\n%post\nexit 7\n"), shop / "tools", tmp_path, [word])


def test_the_last_output_belongs_to_the_failed_scriptlet(shop: Path, tmp_path: Path) -> None:
    """Not what rpm says, nor the scriptlet before; and what a terminal would obey is only told."""
    other = rpmbuild(shop / "talks", "talks", "%description\nTalks.\n%files\n%post\necho of another\n")
    loud = "%files\n%post\nfor i in 1 2 3 4 5; do echo line $i; done; printf '\\033[31mred\\n' >&2; exit 3\n"
    done = installed([other, *small(shop, loud)], shop / "tools", tmp_path, ["small %post"])
    (passed,) = done.passed
    assert passed.how == "exit status 3"
    assert passed.lines == ("line 3", "line 4", "line 5", "\x1b[31mred")


def test_a_scriptlet_with_an_unknown_macro_fails(shop: Path, tmp_path: Path) -> None:
    """As azl3's kpatch has it: the text of the scriptlet is the macro."""
    files = small(shop, "%files\n%post\n%%systemd_post small.service\n")
    with pytest.raises(ToolError, match=r"the scriptlet %post of small failed: .*(%systemd_post|no job control)"):
        installed(files, shop / "tools", tmp_path)
    (passed,) = installed(files, shop / "tools", tmp_path / "again", ["small"]).passed
    assert re.search(r"rpm-tmp: .*(%systemd_post|no job control)", passed.lines[0])


REFUSED = {
    "a clash of files": (
        "%install\nmkdir -p %{buildroot}/etc; echo other > %{buildroot}/etc/passwd\n%files\n/etc/passwd\n",
        "file /etc/passwd conflicts between attempted installs of small-1-1.x86_64 and filesystem-1-1.x86_64",
    ),
    "a link where a directory is": (
        (
            "%install\nmkdir -p %{buildroot}/usr/share\nln -s /etc %{buildroot}/usr/share/a\n%files\n/usr/share/a\n"
            '%pre -p <lua>\nposix.mkdir("/usr/share") posix.mkdir("/usr/share/a") posix.mkdir("/usr/share/a/b")\n'
        ),
        "small-1-1.x86_64: /usr/share/a cannot be unpacked: File from package already exists as a directory in system",
    ),
    "a database that is gone": (
        (
            '%files\n%posttrans -p <lua>\nlocal d = "/var/lib/rpm/"\n'
            "for _, name in ipairs(posix.dir(d)) do os.remove(d .. name) end\n"
        ),
        "expected 2 packages in rpm's database, found 0: filesystem 0:1-1 x86_64 differs (did a scriptlet change it?)",
    ),
    "a database that is none": (
        '%files\n%posttrans -p <lua>\nio.open("/var/lib/rpm/rpmdb.sqlite", "w"):write(("no"):rep(9999))\n',
        "expected 2 packages in rpm's database, found one that cannot be read",
    ),
    "a flood of words": (
        '%files\n%post -p <lua>\nfor _ = 1, 65 do io.write(("any word\\n"):rep(120000)) end\n',
        "rpm wrote more than 64 MiB of output and was killed",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_rpm_refused_comes_first_in_the_error(kind: str, shop: Path, tmp_path: Path) -> None:
    body, words = REFUSED[kind]
    with pytest.raises(ToolError) as caught:
        installed(small(shop, body), shop / "tools", tmp_path)
    assert str(caught.value).splitlines()[0].startswith(f"{tmp_path / 'log'}: {words}")


LONG = "a-package-of-a-name-that-is-longer-than-lua-shows-of-a-script"


def test_a_failing_lua_scriptlet_with_a_long_name_is_recognised(shop: Path, tmp_path: Path) -> None:
    files = small(shop, '%files\n%post -p <lua>\nerror("no")\n', LONG)
    with pytest.raises(ToolError, match=rf"the scriptlet %post of {LONG} failed: "):
        installed(files, shop / "tools", tmp_path)
    assert [one.package for one in installed(files, shop / "tools", tmp_path / "again", [LONG]).passed] == [LONG]


def test_a_failing_lua_scriptlet_that_rpm_does_not_name_is_never_allowed(shop: Path, tmp_path: Path) -> None:
    files = small(shop, "%files\n%post -p <lua>\nerror({})\n", LONG)
    with pytest.raises(ToolError, match="scriptlet in lua failed: "):
        installed(files, shop / "tools", tmp_path, [LONG])


def test_a_scriptlet_may_remove_the_temporary_files(shop: Path, tmp_path: Path) -> None:
    lua = '%posttrans -p <lua>\nassert(os.remove("/etc/dracut.conf.d/00-held.conf"))\n'
    done = installed(small(shop, f"%files\n{lua}"), shop / "tools", tmp_path)
    assert not (done.tree / "etc/dracut.conf.d").exists()


def test_a_temporary_file_is_removed_only_inside_the_tree(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "empty").mkdir(parents=True)
    root.mkdir()
    (outside / "file").write_text("kept")

    def lend() -> None:
        with temporary_file(root, "etc/lent/empty/file", "lent"):
            shutil.rmtree(root / "etc/lent")
            (root / "etc/lent").symlink_to(outside)

    namespace.call(lend, writes=[tmp_path])
    assert (outside / "file").read_text() == "kept"
    assert (outside / "empty").is_dir()


@pytest.mark.parametrize("when", ["%pre", "%post", "%posttrans"])
def test_a_hanging_scriptlet_is_killed_and_named(
    when: str, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "3")
    with pytest.raises(ToolError, match=rf"the scriptlet {when}\(small\) did not end: rpm did not end within 3 s"):
        installed(small(shop, f"%files\n{when}\necho waiting\nsleep 1000\n"), shop / "tools", tmp_path)


def test_the_program_timeout_is_a_number_of_seconds(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "a while")
    with pytest.raises(ToolError, match=f"^{TIMEOUT_VARIABLE}: expected a number of seconds, found 'a while'$"):
        installed(small(shop, FILES), shop / "tools", tmp_path)


def test_generators_of_an_initramfs_do_not_run(shop: Path, tmp_path: Path) -> None:
    """By name, wherever the script looks for them; a dracut called by its path reads a file that ends it."""
    dracut = (
        "%install\nmkdir -p %{buildroot}/usr/bin\n"
        "cat > %{buildroot}/usr/bin/dracut <<'.'\n#!/bin/sh\nfor f in /etc/dracut.conf.d/*.conf; do . $f; done\n"
        "> /made\n.\n"
        "%files\n%attr(0755,root,root) /usr/bin/dracut\n"
        "%posttrans\nmkinitrd -q\ndracut --force\n/usr/bin/dracut --force\nkernel-install add 1 /vmlinuz\n"
        "%transfiletriggerin -- /usr\ndracut --regenerate-all\n"
    )
    done = installed(small(shop, dracut, "dracut"), shop / "tools", tmp_path)
    assert not (done.tree / "made").exists()
    assert not (done.tree / "etc/dracut.conf.d").exists()
    held = [line for line in done.log.splitlines() if line.startswith("not run, it has a stage of its own")]
    assert [line.split(": ")[1].split()[0] for line in held] == [
        "mkinitrd",
        "dracut",
        "dracut",
        "kernel-install",
        "dracut",
    ]

"""What a hostile script of a package finds when it looks around."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace, overlay, sandbox
from oic.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path


def run_inside(root: Path, script: str, log: Path) -> str:
    def inside() -> str:
        with sandbox.opened(root, log) as box:
            return box.run(["sh", "-c", script]).text

    return namespace.call(inside, writes=[root.parent])


def test_a_program_sees_only_the_tree(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the host")
    said = run_inside(root, f"ls /; ls {tmp_path} 2>&1 || true; cat /proc/self/mountinfo", tmp_path / "log")
    assert "No such file" in said
    assert sorted(said.split("ls:")[0].split()) == sorted({*os.listdir(root), "dev", "proc", "tmp"})
    points = {line.split()[4] for line in said.splitlines() if line[:1].isdigit()}
    assert all(point == "/" or point.startswith(("/dev", "/proc", "/tmp")) for point in points), points


def test_six_devices_can_be_used_but_not_changed(root: Path, tmp_path: Path) -> None:
    said = run_inside(root, "cd /dev; stat -c '%n %F' *", tmp_path / "log").splitlines()
    nodes = {line.split()[0] for line in said if "character special" in line}
    assert nodes == {"full", "null", "random", "tty", "urandom", "zero"}
    assert not any("block special" in line for line in said)


@pytest.mark.parametrize(
    "attempt",
    [
        "mount -t tmpfs none /tmp",
        "umount /proc/sys",
        "unshare --user --map-root-user --mount true",
        "unshare --mount true",
        "echo 1 > /proc/sys/kernel/panic",
        "echo h > /proc/sysrq-trigger",
        "echo x > /proc/sys/user/max_user_namespaces",
        "mount -o remount,rw /proc/sys",
    ],
)
def test_the_kernel_cannot_be_reached(root: Path, tmp_path: Path, attempt: str) -> None:
    with pytest.raises(ToolError):
        run_inside(root, attempt, tmp_path / "log")


def test_scripts_may_own_what_they_install(root: Path, tmp_path: Path) -> None:
    said = run_inside(root, "touch /x; chown 33:44 /x; stat -c '%u %g' /x; id -u", tmp_path / "log")
    assert said.split() == ["33", "44", "0"]


def test_a_failure_carries_the_last_lines_and_the_log(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ToolError) as caught:
        run_inside(root, "echo before >&2; echo 'no such thing' >&2; exit 7", log)
    assert str(caught.value) == f"{log}: sh failed with status 7:\n    before\n    no such thing"
    assert "before" in log.read_text()


def test_a_program_gets_none_of_the_builders_environment(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of the host")
    said = run_inside(root, "env", tmp_path / "log")
    assert "SECRET_TOKEN" not in said
    assert "LC_ALL=C.UTF-8" in said.splitlines()


def test_layers_are_never_written_and_removals_stay_removed(root: Path, tmp_path: Path) -> None:
    (root / "kept").write_text("below")
    (root / "gone").write_text("below")
    first = tmp_path / "first"
    first.mkdir()

    def change() -> None:
        with overlay.merged([root], tmp_path / "at", upper=first, work=tmp_path / "work") as merged:
            (merged / "kept").write_text("above")
            (merged / "gone").unlink()

    def look() -> tuple[str, bool]:
        with overlay.merged([root, first], tmp_path / "at2") as merged:
            return (merged / "kept").read_text(), (merged / "gone").exists()

    namespace.call(change, writes=[tmp_path])
    assert (root / "kept").read_text() == "below"
    assert (root / "gone").exists()
    assert namespace.call(look, writes=[tmp_path]) == ("above", False)


def test_paths_with_the_separators_of_overlay_options_work(tmp_path: Path) -> None:
    layer, upper = tmp_path / "a,b:c", tmp_path / "u,p:r"
    layer.mkdir()
    upper.mkdir()
    (layer / "file").write_text("here")

    def look() -> str:
        with overlay.merged([layer], tmp_path / "at", upper=upper, work=tmp_path / "w,o:k") as merged:
            return (merged / "file").read_text()

    assert namespace.call(look, writes=[tmp_path]) == "here"


def test_a_file_of_the_host_can_be_read_but_not_changed(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "package"
    file.write_text("as it was")

    def meddle() -> tuple[str, str]:
        with sandbox.opened(root, tmp_path / "log", files={"shown": file}) as box:
            inside = f"{sandbox.FILES}/shown"
            with pytest.raises(ToolError, match="Read-only file system"):
                box.run(["sh", "-c", f"echo changed > {inside}"])
            with pytest.raises(ToolError):
                box.run(["mount", "-o", "remount,rw,bind", inside])
            return inside, box.run(["cat", inside]).text

    assert namespace.call(meddle, writes=[tmp_path]) == ("/dev/files/shown", "as it was")
    assert file.read_text() == "as it was"

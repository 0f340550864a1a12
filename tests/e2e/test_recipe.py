"""What is wrong with a recipe, or with the words beside it, is said before anything is done."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .bench import Bench
    from .tiny import Tiny

SYSTEM = "systemConfig:\n"
MALFORMED = f"{SYSTEM}  packages: [hello"
OVERLAPPING = """disk:
  size: 1GiB
  partitions:
    - {id: boot, type: esp, start: 1MiB, end: 257MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: rootfs, type: linux-root-amd64, start: 200MiB, end: "0", fsType: ext4, mountPoint: /}
"""
BAD = {
    MALFORMED: "small.yml:10: expected YAML, found an error: ",
    f"{SYSTEM}  hostnam: x": "small.yml:9: systemConfig.hostnam: expected a known key, found 'hostnam'; did you mean",
    f"{SYSTEM}  packages: hello": "small.yml:9: systemConfig.packages: expected a list of package names, found 'hello'",
    f"{SYSTEM}  users:\n  - name: a\n  - name: a": "small.yml:11: systemConfig.users[1].name: expected each user to",
    OVERLAPPING: "small.yml:12: disk.partitions[1].start: expected a start at or after 257MiB, where partition 'boot'",
    f"{SYSTEM}  description: '${{oic_no}}'": "expected a value for ${oic_no}, found none (give var.oic_no=…",
}  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_a_bad_recipe_is_refused_at_its_line(body: str, bench: Bench, tiny: Tiny) -> None:
    bench.write(body)
    bench.oic("build").refused_in_one_line(f"ERROR: {bench.recipe}", BAD[body])
    assert tiny.asked() == []
    assert not bench.image.exists()


def test_all_mistakes_are_said_at_once(bench: Bench) -> None:
    bench.write(f"{SYSTEM}  hostnam: x\n  packages: hello\n  users: [{{name: a}}, {{name: a}}]")
    said = bench.oic("validate")
    said.refused("small.yml:9: ", "small.yml:10: ", "small.yml:11: ")
    assert len(said.said.strip().splitlines()) == 3


def test_words_of_the_command_line_that_mean_nothing(bench: Bench, tiny: Tiny) -> None:
    for words, message in (
        (["build", "image=nowhere.yml"], "expected a recipe, found no file nowhere.yml here or in recipes/ (there: "),
        (["build", "image=edge.yml"], "edge.yml could be two recipes, "),
        (["build", "imgae=small.yml", "image=small.yml"], "expected image=, cache=, log_level=, vars=, keys=, format="),
        (["build", "image=."], "expected a recipe, found a directory: ."),
        (["build", "image="], "expected a recipe, found no file"),
        (["why"], "expected package=NAME on the command line, found none"),
        (["boot-test", "timeout=soon"], "expected timeout=SECONDS, found timeout=soon"),
    ):
        (bench.place / "edge.yml").write_text(bench.recipe.read_text())
        bench.oic(*words).refused_in_one_line(message)
    assert tiny.asked() == []


def test_a_file_that_is_no_recipe(bench: Bench) -> None:
    for content in (b"", b"\x00\xff\xfe", b"- a\n", b"a: &x [*x]\n", b"!!python/object:os.system {}\n"):
        bench.recipe.write_bytes(content)
        bench.oic("validate").refused(f"ERROR: {bench.recipe}", "expected")


def test_what_is_not_built_yet_is_refused_by_name_however_fresh_all_else_is(bench: Bench, tiny: Tiny) -> None:
    bench.oic("verify").succeeded()
    bench.write("systemConfig: {fde: {enabled: true, passphraseFile: /a}}")
    tiny.asked()
    reason = "systemConfig.fde.enabled: an encrypted disk is not built yet"
    bench.oic("verify").refused("cannot be built:", f"small.yml:8: {reason}")
    assert tiny.asked() == []
    bench.oic("validate").succeeded(f"not built yet: small.yml:8: {reason}", "not one that can be built yet")
    bench.write()
    bench.oic("verify").succeeded("-- verify:small")


@pytest.mark.parametrize("word", ["imageType: iso", "arch: aarch64", "dist: debian13, arch: armv7hl"])
def test_an_image_without_a_disk_is_a_valid_recipe_and_refused_by_name(word: str, bench: Bench) -> None:
    target = {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"}
    target |= dict(pair.split(": ") for pair in word.split(", "))
    bench.recipe.write_text(f"image: {{name: a, version: 1.0.0}}\ntarget: {json.dumps(target)}\n")
    bench.oic("validate").succeeded("is not built yet", "a valid recipe, but not one that can be built yet")
    bench.oic("build").refused("cannot be built:", "is not built yet")


def test_a_distribution_without_defaults_needs_a_disk_in_the_recipe(bench: Bench) -> None:
    own = bench.place / "own"
    shutil.copytree(bench.distributions, own)
    (defaults,) = own.glob("*/*/raw-x86_64.yml")
    defaults.unlink()
    bench.distributions = own
    bench.oic("validate").refused_in_one_line(f"{bench.recipe}:", "expected a disk, as ", "has no raw-x86_64.yml")


def test_an_image_of_no_package_is_refused(rpm_bench: Bench) -> None:
    own = rpm_bench.place / "own"
    shutil.copytree(rpm_bench.distributions, own)
    (defaults,) = own.glob("*/*/raw-x86_64.yml")
    defaults.write_text(re.sub(r"packages: \[.*?\]", "packages: []", defaults.read_text()))
    rpm_bench.distributions = own
    said = rpm_bench.oic("rootfs")
    said.refused_in_one_line("solve:small failed: expected packages for the image, found none (name them in")


def test_a_file_that_is_not_there_is_noted_and_left_out(bench: Bench) -> None:
    bench.write("systemConfig: {additionalFiles: [{local: absent, final: /etc/x}]}")
    absent = "expected a file, found none at absent; it is left out of the image"
    bench.oic("validate").succeeded("note: ", absent, "a valid recipe")
    bench.oic("verify").succeeded()


def test_a_variable_comes_from_the_command_line_or_the_environment(bench: Bench) -> None:
    bench.write("systemConfig: {packages: ['${oic_more}']}")
    bench.environment["OIC_VAR_oic_more"] = "big"
    bench.oic("config").succeeded("- big\n")
    bench.oic("config", "var.oic_more=other").succeeded("- other\n")


def test_a_distribution_folder_that_is_none(bench: Bench) -> None:
    bench.distributions = bench.place / "nowhere"
    expected = f"OIC_DISTRIBUTIONS: expected the absolute path of a folder, found '{bench.distributions}'"
    bench.oic("validate").refused_in_one_line(expected)

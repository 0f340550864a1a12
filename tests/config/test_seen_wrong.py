"""Recipes that were taken for something else when strangers tried the format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from oic.config.final import load_config
from oic.config.printed import recipe_text
from oic.errors import RecipeError

from .conftest import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Complain, Load

PARTITIONS = (
    "  size: 2GiB\n  partitions:\n    - {id: esp, type: esp, size: 100MiB, fsType: fat32, mountPoint: /boot/efi}\n"
)
ROOT = "    - {id: root, size: 800MiB, fsType: ext4, mountPoint: /}\n"
DISK = f"disk:\n{PARTITIONS}{ROOT}"
SECRETS = {
    "a tag": "systemConfig: {users: [{name: a, password: !hunter2}]}\n",
    "a kind of hash": "systemConfig: {users: [{name: a, password: $hunter2$x}]}\n",
    "a mirror": "packageRepositories: [{codename: a, url: 'ftp://user:hunter2@x/', pkey: '[trusted=yes]'}]\n",
    "a key": "packageRepositories: [{codename: a, url: 'https://x/', pkey: 'https://user:hunter2@x/'}]\n",
    "a package": "packageRepositories: [{packages: ['http://user:hunter2@x/a.deb']}]\n",
    "an image": "baseline: {mode: overlay, source: {url: 'https://user:hunter2@x/a.raw'}}\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_message_has_a_secret(name: str, load: Load) -> None:
    with pytest.raises(RecipeError) as caught:
        load(SECRETS[name])
    assert "hunter2" not in str(caught.value)


def test_urls_that_are_none_are_said_with_their_lines(complain: Complain) -> None:
    body = "packageRepositories:\n  - {codename: a, url: 'https://[::1', pkey: 'https://a:b@x/'}\n"
    secret = "expected a URL without user and password, as lock and image would have them: put both into ~/.netrc"
    assert complain(body) == [
        "small.yml:4: packageRepositories[0].url: expected a URL, found 'https://[::1'",
        f"small.yml:4: packageRepositories[0].pkey: {secret}, found one with them",
    ]


def test_a_package_file_at_a_url_that_is_none_is_said_once(complain: Complain) -> None:
    (said,) = complain("packageRepositories: [{packages: ['https://[::1/k.deb']}]\n")
    assert said == "small.yml:3: packageRepositories[0].packages[0]: expected a URL, found 'https://[::1/k.deb'"
    file = f"{{url: 'https://a:b@x/k.deb', sha256: {'a' * 64}}}"
    (said,) = complain(f"packageRepositories: [{{packages: [{file}]}}]\n")
    assert said.startswith("small.yml:3: packageRepositories[0].packages[0].url: expected a URL without user and")


def test_a_merge_key_brings_what_is_not_there(load: Load) -> None:
    body = """systemConfig:
  users:
    - &first {name: one, shell: /bin/sh, groups: [video]}
    - {<<: *first, name: two}
    - <<: [{home: /srv/three}, *first]
      name: three
      shell: /bin/bash
"""
    one, two, three = load(body).system.users
    assert (two.name, two.shell, two.groups) == ("two", one.shell, one.groups)
    assert (three.name, three.shell, three.home, three.groups) == ("three", "/bin/bash", "/srv/three", ("video",))


def test_a_variable_is_a_number_or_a_truth_value_where_its_key_holds_one(load: Load) -> None:
    body = """packageRepositories: [{codename: a, url: 'https://x/', pkey: '[trusted=yes]', priority: '${p}'}]
systemConfig: {recommends: '${yes}', hostname: '${p}', users: [{name: a, sudo: '${no}', password: '${no}'}]}
"""
    config = load(body, variables={"p": "700", "yes": "true", "no": "false"})
    assert [entry.priority for entry in config.repositories if "//x" in entry.url] == [700]
    assert (config.system.recommends, config.system.hostname) == (True, "700")
    assert (config.system.users[0].sudo, config.system.users[0].password) == (False, "false")


def test_a_variable_of_other_bytes_is_refused(load: Load) -> None:
    with pytest.raises(RecipeError, match=r"expected UTF-8 text as the value of \$\{h\}, found other bytes"):
        load("systemConfig: {hostname: '${h}'}\n", variables={"h": "\udcff"})


@pytest.mark.parametrize("word", ["false", "[]", "''"])
@pytest.mark.parametrize("key", ["disk", "systemConfig"])
def test_only_nothing_counts_as_absent(key: str, word: str, complain: Complain, load: Load) -> None:
    (said,) = complain(f"{key}: {word}\n")
    assert said.startswith(f"small.yml:3: {key}: expected a mapping ")
    for absent in ("", " {}"):
        assert load(f"{key}:{absent}\n").disk.partitions


WRONG = {
    "an open bracket": ("systemConfig: {packages: ['vim-[']}\n", "characters between them, as in [0-9], found 'vim-['"),
    "a closed one": ("systemConfig: {packages: ['a]']}\n", "characters between them, as in [0-9], found 'a]'"),
    "a bracket within": (
        "systemConfig: {packages: ['vim[0']}\n",
        "characters between them, as in [0-9], found 'vim[0'",
    ),
    "a pin of nothing": ("systemConfig: {packages: ['curl=']}\n", "expected a version at the end, as in name=1.0"),
    "another spelling of a place": (
        f"""{DISK}    - {{id: a, size: 100MiB, fsType: ext4, mountPoint: /srv}}
    - {{id: b, size: 100MiB, fsType: ext4, mountPoint: //srv/.}}
""",
        "expected each partition to have its own mountPoint, found /srv here and on line 8",
    ),
    "another spelling of a file": (
        "systemConfig: {additionalFiles: [{content: a, final: /etc/x}, {content: b, final: //etc/x}]}\n",
        "expected each file to have its own final, found /etc/x here and on line 3",
    ),
    "no disk at all": ("defaults: false\n", "expected the disk of the raw image, as defaults is false, found nothing"),
    "a partition to encrypt that is not there": (
        f"{DISK}systemConfig: {{fde: {{enabled: true, passphraseFile: /p, partitions: [nope]}}}}\n",
        "expected the id of a partition out of esp, root, found 'nope'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_was_passed_over_is_refused(name: str, complain: Complain) -> None:
    body, message = WRONG[name]
    (said,) = complain(body)
    assert message in said


def test_a_placeholder_needs_no_key(load: Load) -> None:
    assert load("packageRepositories: [{codename: a, url: '<URL>'}]\n").repositories


def test_a_root_of_xfs_is_valid_and_not_built(load: Load) -> None:
    body = f"disk:\n{PARTITIONS}    - {{id: root, size: 800MiB, fsType: xfs, mountPoint: /}}\n"
    (said,) = load(body).unbuilt
    assert said.endswith("fsType: / on xfs is not built yet, as its tools fill none: ext4 or btrfs is")


def test_flags_of_parted_are_known(load: Load) -> None:
    disk = load(f"{DISK}    - {{id: a, size: 100MiB, flags: [msftdata]}}\n").disk
    assert disk.partitions[-1].flags == ("msftdata",)


def test_a_long_chain_of_parents_and_a_pipe_are_refused_in_words(tmp_path: Path, load: Load) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    with pytest.raises(RecipeError, match=r"expected a part that can be read, found: .*pipe"):
        load("include: [pipe.yml]\n")
    target = "target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}"
    for number in range(330):
        head = f"image: {{name: a, version: 1}}\n{target}\n"
        (tmp_path / f"c{number}.yml").write_text(f"{head}extends: c{number + 1}.yml\n")
    (tmp_path / "c330.yml").write_text(f"image: {{name: a, version: 1}}\n{target}\n")
    with pytest.raises(RecipeError, match="expected at most 100 templates that do not extend each other in a row"):
        load("extends: c0.yml\n")


def test_what_has_no_defaults_is_printed_as_a_recipe_that_is_valid(load: Load) -> None:
    recipe = load("", head=HEAD.replace("x86_64", "aarch64").replace("debian12", "debian13")).recipe
    recipe.write_text(recipe_text(recipe, {}))
    assert load_config(recipe, {}).unbuilt

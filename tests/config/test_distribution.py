from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.config.apt_sources import read_mirrors
from oic.config.distribution import distributions_folders
from oic.config.schema import problems_of
from oic.config.trees import parse
from oic.errors import RecipeError
from oic.plan import plan

from .conftest import HEAD, MIRROR

if TYPE_CHECKING:
    from .conftest import Load

SUITES = ("bookworm", "trixie", "stable")
KEYS = ("/usr/share/keyrings/debian-archive-keyring.gpg",)
OURS = "/usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    return tmp_path


def mirrors(root: Path) -> tuple[str | None, str | None]:
    found = read_mirrors(SUITES, KEYS, root)
    return found.main, found.security


def test_one_line_sources_are_read(root: Path) -> None:
    (root / "etc/apt/sources.list").write_text(
        "# deb http://commented.invalid/debian bookworm main\n"
        "deb-src http://source.invalid/debian bookworm main\n"
        "deb cdrom:[Debian]/ bookworm main\n"
        f"deb [arch=amd64 signed-by={OURS}] http://one.invalid/debian/ bookworm main contrib # comment\n"
        "deb http://two.invalid/debian-security bookworm-security main\n"
    )
    assert mirrors(root) == ("http://one.invalid/debian", "http://two.invalid/debian-security")


def test_deb822_sources_are_read(root: Path) -> None:
    (root / "etc/apt/sources.list.d/debian.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: https://one.invalid/debian\nSuites: bookworm\n bookworm-updates\n"
        f"Components: main\nSigned-By: {OURS}\n\n"
        "Types: deb\nURIs: https://off.invalid/sec\nSuites: bookworm-security\nComponents: main\nEnabled: no\n\n"
        "Types: deb\nURIs: https://two.invalid/sec\nSuites: stable/updates\nComponents: main\n"
    )
    assert mirrors(root) == ("https://one.invalid/debian", "https://two.invalid/sec")


def test_other_vendors_are_not_taken_for_debian(root: Path) -> None:
    folder = root / "etc/apt/sources.list.d"
    (folder / "a.list").write_text(
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] http://a.invalid/debian bookworm main\n"
    )
    (folder / "b.list").write_text(
        "deb http://b.invalid/debian bookworm stable\ndeb http://b.invalid/x bookworm-pgdg main\n"
    )
    (folder / "c.sources").write_text(
        "Types: deb\nURIs: http://c.invalid\nSuites: stable\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n x\n"
    )
    (folder / "d.sources.disabled").write_text("Types: deb\nURIs: http://d.invalid\nSuites: stable\nComponents: main\n")
    assert mirrors(root) == (None, None)


def test_a_source_signed_by_the_distribution_comes_first(root: Path) -> None:
    (root / "etc/apt/sources.list").write_text(
        f"deb http://a.invalid/grafana stable main\ndeb [signed-by={OURS}] http://b.invalid/debian bookworm main\n"
    )
    assert mirrors(root)[0] == "http://b.invalid/debian"


def test_a_mirror_list_is_followed(root: Path) -> None:
    (root / "etc/apt/mirrors").mkdir()
    (root / "etc/apt/mirrors/debian.list").write_text("# mirrors\nhttps://listed.invalid/debian\tpriority:1\n")
    (root / "etc/apt/sources.list").write_text("deb mirror+file:///etc/apt/mirrors/debian.list bookworm main\n")
    assert mirrors(root)[0] == "https://listed.invalid/debian"


def test_without_a_source_the_recipe_must_name_a_mirror(root: Path, load: Load) -> None:
    with pytest.raises(Exception, match=r"found none \(give target\.mirror: a base URL\)") as caught:
        load("", head=HEAD.replace(f", mirror: {MIRROR}", ""), root=root)
    assert str(caught.value) == (
        f"{root}/small.yml:2: target: {root}/etc/apt: expected a mirror of debian/debian12 "
        "among the host's apt sources, found none (give target.mirror: a base URL)"
    )


@pytest.mark.mirror
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
def test_the_hosts_mirrors_are_among_those_apt_itself_uses() -> None:
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    used = {
        line.rstrip("/") for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    }
    assert set(mirrors(Path("/"))) <= used


def test_the_repositories_follow_the_mirror(load: Load) -> None:
    config = load("")
    assert [(one.name, one.url, one.suite, one.components) for one in config.repositories] == [
        ("bookworm", MIRROR, "bookworm", ("main",)),
        ("bookworm-updates", MIRROR, "bookworm-updates", ("main",)),
        ("bookworm-security", f"{MIRROR}-security", "bookworm-security", ("main",)),
    ]
    assert config.distribution.tools_repositories == config.repositories
    assert (config.distribution.provider, config.distribution.architecture) == ("deb", "amd64")


def test_a_folder_of_ones_own_adds_distributions_and_replaces_shipped_ones(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = distributions_folders()[-1] / "debian/debian12"
    for name in ("debian/debian12", "acme/acme1"):
        shutil.copytree(shipped, tmp_path / "own" / name)
        facts = tmp_path / "own" / name / "distribution.yml"
        facts.write_text(facts.read_text().replace('release: "12"', f'release: "{name[:4]}"'))
    monkeypatch.setenv("OIC_DISTRIBUTIONS", str(tmp_path / "own"))
    assert load("").distribution.release == "debi"
    acme = HEAD.replace("os: debian", "os: acme").replace("dist: debian12", "dist: acme1")
    assert load("", head=acme).distribution.release == "acme"
    assert load("", head=HEAD.replace("debian12", "debian13")).distribution.release == "13"


@pytest.mark.parametrize("place", ["relative", "/nonexistent"])
def test_a_folder_of_ones_own_that_is_none_is_refused(place: str, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIC_DISTRIBUTIONS", place)
    with pytest.raises(RecipeError, match=f"expected the absolute path of a folder, found '{place}'"):
        load("")


FACTS, DEFAULTS = "distribution.yml", "raw-x86_64.yml"


@pytest.mark.parametrize(
    ("file", "text", "edited", "said"),
    [
        (FACTS, "name: bookworm-updates", "name: bookworm", "repository to have its own name, found bookworm here"),
        (FACTS, "mirror: host", "mirror: https://a.invalid/$nobasearch", "found $nobasearch"),
        (FACTS, "suite: bookworm-updates", "suite: bookworm-updates\n    path: '{}'", "or $releasever, found {}"),
        (FACTS, "x86_64: amd64", "aarch64: arm64", "word for x86_64, for which there are defaults, found aarch64"),
        (FACTS, "tools:", "notYet: {systemConfig.imutability: it is not}\ntools:", "found systemConfig.imutability"),
        (FACTS, "tools:", "scriptletsMayFail: [bash]\ntools:", "expected none, as dpkg lets no script of a pack"),
        (FACTS, "release:", "hostSuites: []\nrelease:", "expected each key once"),
        (DEFAULTS, "disk:", "include: [parts.yml]\ndisk:", "defaults as one whole, found include: a recipe's"),
        (DEFAULTS, "id: rootfs", "id: boot", "each partition to have its own id, found boot here"),
    ],
)
def test_a_mistake_in_a_data_file_is_one_line_with_its_place(
    file: str, text: str, edited: str, said: str, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own/debian/debian12"
    shutil.copytree(distributions_folders()[-1] / "debian/debian12", folder)
    before = (folder / file).read_text()
    assert text in before
    (folder / file).write_text(before.replace(text, edited, 1))
    monkeypatch.setenv("OIC_DISTRIBUTIONS", str(tmp_path / "own"))
    with pytest.raises(RecipeError) as caught:
        load("")
    (line,) = str(caught.value).splitlines()
    assert re.match(rf"{re.escape(str(folder / file))}:\d+: ", line)
    assert said in line


@pytest.mark.parametrize(
    "path", sorted(distributions_folders()[-1].glob("*/*/*.yml")), ids=lambda path: "-".join(path.parts[-2:])
)
def test_the_shipped_data_is_valid(path: Path) -> None:
    kind = "distribution" if path.name == "distribution.yml" else "recipe"
    tree = parse(path.read_bytes(), path)
    assert problems_of(tree, kind, needs=False) == []
    for file in tree.get("systemConfig", "additionalFiles").items:
        local = file.get("local").text
        assert not local or local.endswith("installer") or (path.parent / local).is_file()


@pytest.mark.parametrize("kind", ["iso", "img", "wsl2"])
@pytest.mark.parametrize("folder", sorted(distributions_folders()[-1].glob("*/*")), ids=lambda path: path.name)
def test_every_distribution_says_what_each_kind_of_image_is(folder: Path, kind: str, load: Load) -> None:
    head = HEAD.replace("os: debian", f"os: {folder.parent.name}").replace("debian12", folder.name)
    config = load("", head=head.replace("imageType: raw", f"imageType: {kind}"))
    assert len(config.system.packages) > 4
    assert bool(config.system.kernel.packages) == (kind != "wsl2")
    reason = "its data name no tools" if folder.name == "el10" else "an installer that asks is not built yet"
    wanted = kind == "iso" or (kind == "img" and folder.name == "el10")
    assert bool(config.unbuilt) == wanted
    assert not wanted or reason in config.unbuilt[0]


@pytest.mark.parametrize("folder", sorted(distributions_folders()[-1].glob("*/*")), ids=lambda path: path.name)
def test_a_recipe_of_image_and_target_alone_is_planned_for_every_shipped_distribution(
    folder: Path, load: Load, tmp_path: Path
) -> None:
    head = HEAD.replace("os: debian", f"os: {folder.parent.name}").replace("debian12", folder.name)
    config = load("", head=head)
    assert config.unbuilt == ()
    stages = plan(config, tmp_path / "cache")
    made = "disk" if folder.name == "debian12" else "convert"  # of the others, the raw file is compressed
    assert [stage.name for stage in stages][-2:] == [made, "evidence"]
    assert all(repository.url.startswith(MIRROR) for repository in config.repositories)
    assert all(repository.image_key and repository.keys for repository in config.repositories)
    assert "/" in {partition.mount_point for partition in config.disk.partitions}
    enabled = config.system.services.enable
    assert {"systemd-networkd.service", "NetworkManager.service"} & set(enabled)


def test_a_distribution_without_defaults_wants_an_esp_all_the_same(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has said how it boots, which is by EFI then."""
    folder = tmp_path / "own/debian/debian12"
    folder.mkdir(parents=True)
    facts = "provider: deb\nrelease: '1'\narchitectures: {x86_64: amd64}\nmirror: https://m.invalid\ntools: [a]\n"
    (folder / "distribution.yml").write_text(
        f"{facts}repositories: [{{name: a, suite: a, components: [main], keys: [/k]}}]\n"
    )
    monkeypatch.setenv("OIC_DISTRIBUTIONS", str(tmp_path / "own"))
    root = "{id: root, type: linux, start: 1MiB, end: '0', fsType: ext4, mountPoint: /}"
    with pytest.raises(RecipeError, match="expected a partition of type esp, for bootType efi, found none"):
        load(f"disk: {{size: 1GiB, partitions: [{root}]}}\n")

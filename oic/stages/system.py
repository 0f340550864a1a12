"""system: what the recipe says beyond packages, as a layer over them: settings, users, files, commands, units.

::

    settings, sources ─> users ─> files ─> commands ─> units ─> what is of this machine removed

Four hand-overs: ``system.json`` names the whole tree; ``initrd-inputs.json``, ``boot-inputs.json`` and
``private-keys.json`` (for the manifest) say only what those stages read of it, so that they run when that changes and
not before.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from oic.chroot import child, layers, namespace, overlay, sandbox
from oic.chroot.tree import empty
from oic.errors import OicError, one_line
from oic.files import digest_of, written_aside
from oic.image.tree import accounts, additional, drawn, esp, firstboot, generators, kernels, settings
from oic.image.tree.commands import run_commands
from oic.ospackage.lock import LockedRepository
from oic.progress import note
from oic.provider import provider_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Make the configuration layer and say what of it others read."""
    part, rootfs = stage.slice, stage.read("rootfs.json")
    below = [layers.read(stage.cache / place) for place in rootfs["layers"]]
    key = digest_of({"version": stage.version, "slice": _content(part), **_below(rootfs)})
    online = any(command["network"] for command in part["commands"])
    trees = [layer.tree for layer in below]
    fill = partial(_fill, part, rootfs, trees, stage.log)
    layer = layers.made(stage.cache, key, fill, writes=[stage.made_log()], network=online)
    places = [*rootfs["layers"], stage.artefact(layer.place)]
    work = stage.path("work/system")
    work.mkdir(parents=True, exist_ok=True)
    files = [file["final"] for file in part["files"]]
    whole = [*trees, layer.tree]
    reads = namespace.call(_inputs, whole, work, part["esp"], writes=[work])
    keys = namespace.call(_private_keys, whole, work, files, rootfs["privateKeys"], writes=[work])
    with written_aside(stage.path("vmlinuz")) as kernel:
        kernel.write_bytes(reads["kernel"])
    esp.write_files(stage.path("esp"), reads["esp"])
    copied = [stage.path("vmlinuz"), *(stage.path("esp") / name for name in reads["esp"])]
    stage.write(
        {
            "layers": places,
            "digests": [*rootfs["digests"], layer.digest],
            "epoch": layer.epoch,
            "artefacts": [stage.artefact(layer.place)],
        }
    )
    stage.write({**reads["initrd"], "epoch": layer.epoch, "packages": rootfs["digests"]}, "initrd-inputs.json")
    boot = {
        **reads["boot"],
        "sha256": hashlib.sha256(reads["kernel"]).hexdigest(),
        "esp": {name: hashlib.sha256(content).hexdigest() for name, content in reads["esp"].items()},
        "epoch": layer.epoch,
        "artefacts": [stage.artefact(path) for path in copied],
    }
    stage.write(boot, "boot-inputs.json")
    stage.write({"privateKeys": keys}, "private-keys.json")
    for one in keys:
        said = f"{one['path']}: a private key ({one['kind']}), the same on every machine of this image; {one['made']}"
        note(one_line(said))
    return f"{len(part['users'])} users, {len(part['files'])} files, {len(part['commands'])} commands"


def _content(part: dict[str, Any]) -> dict[str, Any]:
    """Return what of the slice decides the layer: where a file was taken from does not."""
    files = [{key: file[key] for key in ("final", "sha256", "mode", "owner")} for file in part["files"]]
    return {**part, "files": files}


def _below(rootfs: dict[str, Any]) -> dict[str, Any]:
    return {"below": rootfs["digests"], "repositories": rootfs["repositories"]}


def _fill(part: dict[str, Any], rootfs: dict[str, Any], below: Sequence[Path], log: Path, place: Path) -> int:
    provider = provider_of(part["provider"])
    epoch = int(rootfs["epoch"])
    with overlay.merged(below, place / "root", upper=place / "tree", work=place / "work") as root:
        repositories = [LockedRepository(**entry) for entry in rootfs["repositories"]]
        child.inside(root, _write_texts, settings.files_of(part))
        sources = child.inside(root, provider.sources, repositories, part["packageSources"])
        extras = {**settings.extras_of(part), **accounts.sudo_rules(part["users"])}
        child.inside(root, _write_extras, {**extras, **sources})
        child.inside(root, _set_timezone, part["timezone"])
        with sandbox.opened(root, log, env=provider.environment(epoch)) as box:
            accounts.add_users(part["users"], box)
            child.inside(root, accounts.write_keys, part["users"])
            with additional.opened(part["files"]) as opened:
                child.inside(root, additional.write, opened)
            run_commands(part["commands"], box)
            child.inside(root, firstboot.write_units, provider.first_boot())
            _set_units(part["services"], box)
        child.inside(root, empty, [name for name in provider.leftovers() if name != "etc/machine-id"])
        child.inside(root, firstboot.remove, provider.first_boot(), [file["final"] for file in part["files"]])
        child.inside(root, _write_texts, {"/etc/machine-id": ""})
    return epoch


def _write_extras(root: Path, texts: dict[str, str]) -> None:
    """Write what is for programs that an image may not have: where their directory is not, nobody would read it."""
    _write_texts(root, {name: text for name, text in texts.items() if (root / name[1:]).parent.is_dir()})


def _write_texts(root: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = root / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")  # as a package's own file may be
        path.chmod(0o440 if name.startswith("/etc/sudoers.d/") else 0o444 if name == "/etc/machine-id" else 0o644)


def _set_timezone(root: Path, timezone: str) -> None:
    if timezone:
        zone = root / "usr/share/zoneinfo" / timezone
        if not zone.is_file():
            raise OicError(f"timezone: expected one of the image's, found {timezone}", hint="add the package tzdata")
        local = root / "etc/localtime"
        local.unlink(missing_ok=True)
        local.symlink_to(f"/usr/share/zoneinfo/{timezone}")


def _set_units(services: dict[str, list[str]], box: Sandbox) -> None:
    # By force: a unit that is an alias, or that a preset has enabled, is a link already where the mask's is to be.
    for verb, options in (("enable", ()), ("disable", ()), ("mask", ("--force",))):
        if services[verb]:
            box.run(["systemctl", verb, *options, *services[verb]], capture=False)


def _private_keys(
    trees: Sequence[Path], work: Path, files: Sequence[str], packages: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    """Return the private keys of the whole tree that no package brought, each with who made it."""
    top = child.inside(trees[-1], drawn.private_keys, (), {}, ())
    with overlay.merged(trees, work / "root") as root:
        left = child.inside(root, drawn.still_there, [key["path"] for key in packages])
    found = {key["path"]: key for key in packages if key["path"] in left}
    for path, kind in top.items():
        made = drawn.OF_RECIPE if path in files else "made by a setting or a command of the recipe"
        found[path] = {"path": path, "kind": kind, "made": made}
    return [found[path] for path in sorted(found)]


def _inputs(trees: Sequence[Path], work: Path, esp_at: str) -> dict[str, Any]:
    with overlay.merged(trees, work / "root") as root:
        kernel, content = child.inside(root, kernels.newest)
        generator = child.inside(root, generators.generator_of)
        files = child.inside(root, esp.files_below, esp_at)
    reads = child.inside(trees[-1], generators.digests, generator)
    if generators.is_open(reads, generator):
        reads["."] = layers.read(trees[-1].parent).digest
    return {
        "kernel": content,
        "esp": files,
        "boot": {"version": kernel.version, "osRelease": kernel.os_release},
        "initrd": {"generator": generator, "reads": reads, "version": kernel.version},
    }

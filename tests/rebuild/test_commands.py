"""Commands other than build: info, list, forget, clean, a single stage, and unknown names."""

from __future__ import annotations

import fcntl
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import outputs_of
from .place import STAGES, Place

if TYPE_CHECKING:
    from .conftest import Built

pytestmark = pytest.mark.mirror


def test_list_has_one_line_with_a_description_for_each_stage(place: Place) -> None:
    lines = place.doit("list").succeeded().said.splitlines()
    for name in (*STAGES, "build", "update", "lock", "why", "validate", "config", "boot-test"):
        (line,) = [line for line in lines if line.split()[0] == name]
        assert len(line.split()) > 2


def test_list_all_shows_what_a_build_does_with_every_task(place: Place) -> None:
    (place.image / "esp.img").unlink()
    said = place.doit("list", "--all", "--status").succeeded().said
    states = {line.split()[1].removesuffix(":small"): line.split()[0] for line in said.splitlines() if ":small" in line}
    may_run = {"disk", "evidence"}
    assert {states[stage] for stage in STAGES if stage not in {"boot", *may_run}} == {"U"}
    assert {states[stage] for stage in may_run} == {"M"}
    assert (states["boot"], states["build"], states["update"]) == ("R", "R", "-")
    listed = json.loads(place.doit("list", "--all", "--status", "format=json").succeeded().said)
    (boot,) = [entry for entry in listed if entry["name"] == "boot:small"]
    assert (boot["state"], boot["why"]) == ("runs", [f"{place.image}/esp.img is gone"])


def test_info_says_why_a_stage_would_run(place: Place) -> None:
    text = place.recipe.read_text()
    place.recipe.write_text(text.replace("hostname: one", "hostname: two"))
    assert "  runs: hostname one → two\n" in place.doit("info", "system:small").said
    place.recipe.write_text(text)
    assert "  up to date\n" in place.doit("info", "disk:small").said
    (place.image / "esp.img").unlink()
    assert "esp.img is gone" in place.doit("info", "boot:small").said
    assert "  may run: if boot comes to another result\n" in place.doit("info", "disk:small").said


def test_explain_says_which_line_makes_which_stage_run(place: Place) -> None:
    assert place.doit("explain").succeeded().said == "small.yml: everything is up to date\n"
    text = place.recipe.read_text()
    place.recipe.write_text(text.replace("hostname: one", "hostname: two\n  packages: [jq]"))
    line = place.recipe.read_text().splitlines().index("  hostname: two") + 1
    first, *lines = place.doit("explain").succeeded().said.splitlines()
    said = dict(line.split(maxsplit=1) for line in lines)
    assert first == "small.yml: 3 stages run, 8 may run, 1 up to date"
    assert said["system"] == f"runs: hostname one → two (small.yml:{line})"
    assert said["solve"] == f"runs: package jq added (small.yml:{line + 1})"
    assert said["verify"] == "may run: if solve or download come to another result"
    found = json.loads(place.doit("explain", "format=json").succeeded().said)["stages"]
    (system,) = [entry for entry in found if entry["name"] == "system"]
    assert system["why"] == [{"change": "hostname one → two", "where": f"small.yml:{line}"}]
    place.recipe.write_text(text)
    place.doit("forget", "rootfs:small").succeeded()
    said = dict(line.split(maxsplit=1) for line in place.doit("explain").said.splitlines()[1:])
    assert said["rootfs"] == "runs: it was forgotten"


def test_a_lock_that_comes_or_goes_is_the_only_reason_that_is_said(place: Place) -> None:
    def reason() -> str:
        lines = place.doit("explain").succeeded().said.splitlines()
        return next(line.split(maxsplit=1)[1] for line in lines if line.split()[0] == "solve")

    place.doit("lock").succeeded()
    assert reason() == "runs: small.lock.json is now what is built"
    place.doit("solve").succeeded()
    assert reason() == "up to date"
    (place.root / "small.lock.json").unlink()
    assert reason() == "runs: the recipe has no lock any more, packages are chosen anew"


def test_an_answer_from_what_is_solved_waits_for_no_build(place: Place) -> None:
    name = json.loads((place.image / "lock.json").read_text())["sets"]["image"][0]["name"]
    with (place.image / ".claim").open("r+") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        said = place.doit("why", f"package={name}").succeeded().said
        assert "waiting" not in said
        assert said.splitlines()[-1].strip().startswith(name)


def test_prune_leaves_what_an_image_is_made_of(place: Place, built: Built) -> None:
    said = place.doit("prune").succeeded().said
    assert " that no image names, " in said
    assert place.doit("build").succeeded().ran == []
    assert outputs_of(place) == built.outputs


def test_info_and_list_change_no_outputs(place: Place, built: Built) -> None:
    place.doit("list", "--all", "--status").succeeded()
    place.doit("info", "disk:small")
    place.doit("explain").succeeded()
    assert outputs_of(place) == built.outputs


def test_log_prints_what_a_stage_s_programs_said(place: Place) -> None:
    said = place.doit("log", "stage=rootfs").succeeded().said
    assert said == f"{place.image}/log/rootfs.log:\n{(place.image / 'log/rootfs.log').read_text()}"
    (place.image / "slice/boot.json").unlink()
    assert place.doit("log").succeeded().said.startswith(f"{place.image}/log/boot.log:\n")
    place.doit("log", "stage=rotfs").refused("found stage=rotfs; did you mean 'rootfs'?")


def test_a_forgotten_stage_runs_again(place: Place, built: Built) -> None:
    place.doit("forget", "verify:small").succeeded()
    assert place.doit("build").succeeded().stages() == {"verify"}
    assert outputs_of(place) == built.outputs


MISTAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "metadata": ("target", {"mirror": "http://127.0.0.1:1/"}),
    "solve": ("systemConfig", {"packages": ["no-such-package"]}),
    "system": ("systemConfig", {"services": {"enable": ["no-such.service"]}}),
}


@pytest.mark.parametrize("stage", MISTAKES)
def test_a_mistake_that_is_taken_back_has_cost_nothing(stage: str, place: Place, built: Built) -> None:
    key, wrong = MISTAKES[stage]
    recipe = place.family.recipe
    place.write({**recipe, key: {**recipe[key], **wrong}})
    for _ in range(2):
        assert place.doit("build").refused(f"{stage}:small failed: ").ran[-1] == f"{stage}:small"
    place.write(recipe)
    assert all(line.endswith("up to date") for line in place.doit("explain").succeeded().said.splitlines()[1:])
    again = place.doit("build").succeeded()
    assert again.stages() <= {stage}
    assert all(f"{one:9} as before the run that failed" in again.said for one in again.stages())
    assert outputs_of(place) == built.outputs
    assert place.doit("build").succeeded().ran == []


def test_what_a_failed_run_has_touched_is_not_taken_for_what_was_before(place: Place, built: Built) -> None:
    recipe = place.family.recipe
    system = recipe["systemConfig"]
    place.write({**recipe, "systemConfig": {**system, "hostname": "two", "services": {"enable": ["no-such.service"]}}})
    place.doit("build").refused("system:small failed: ")
    kept = json.loads((place.image / "system.json").read_text())["layers"][-1]["place"]
    shutil.rmtree(place.cache / kept)
    place.write(recipe)
    again = place.doit("build").succeeded()
    assert again.stages() == {"system"}
    assert "as before" not in again.said
    assert outputs_of(place) == built.outputs


def test_clean_removes_outputs_and_the_next_build_creates_them(place: Place, built: Built) -> None:
    place.doit("clean", "disk:small").succeeded()
    assert not place.raw.exists()
    assert not (place.image / "image.json").exists()
    assert (place.image / "fs/rootfs.img").exists()
    assert place.doit("build").succeeded().stages() == {"disk"}
    assert outputs_of(place) == built.outputs


def test_building_one_stage_runs_only_the_stages_it_needs(place: Place) -> None:
    place.recipe.write_text(place.recipe.read_text().replace("hostname: one", "hostname: two"))
    assert place.doit("system").succeeded().stages() == {"system"}
    assert place.doit("fs:small").succeeded().stages() == {"fs"}


def test_the_last_lines_of_a_build_are_its_artefacts(place: Place, built: Built) -> None:
    for _ in range(2):
        *_, last = place.doit("build").succeeded().said.splitlines()
        assert last == f"{place.raw}  {640 << 20} bytes  sha256:{built.outputs[place.raw.name]}"


@pytest.mark.parametrize(
    ("words", "image", "texts"),
    [
        (("biuld",), "small.yml", ("biuld",)),
        (("build", "imgae=x"), "small.yml", ("expected image=", "found imgae=")),
        (("build",), "nothing.yml", ("expected a recipe, found no file nothing.yml", "edge")),
        (("build",), "./nothing.yml", ("expected a recipe, found no file ./nothing.yml",)),
        (("disk:large",), "small.yml", ("disk:large",)),
    ],
)
def test_an_unknown_task_option_or_recipe_is_named_in_the_error(
    words: tuple[str, ...], image: str, texts: tuple[str, ...], place: Place
) -> None:
    assert place.doit(*words, image=image).refused(*texts).status == 3


def test_a_name_that_matches_two_recipes_is_refused(place: Place) -> None:
    (place.root / "minimal.yml").write_text(place.recipe.read_text())
    place.doit("build", image="minimal.yml").refused("could be two recipes", str(place.root / "minimal.yml"), "./")


def test_another_recipe_with_the_same_name_is_refused(place: Place, built: Built) -> None:
    other = place.root / "other"
    other.mkdir(exist_ok=True)
    (other / "small.yml").write_text(place.recipe.read_text())
    shutil.copytree(place.root / "files", other / "files", dirs_exist_ok=True)
    place.doit("build", image="other/small.yml").refused(
        "small is already the name of", str(place.recipe), "rename one of the two"
    )
    assert outputs_of(place) == built.outputs
    (other / "small.yml").unlink()


def test_a_moved_recipe_is_not_built_again(place: Place, built: Built) -> None:
    moved = place.root / "moved"
    moved.mkdir(exist_ok=True)
    place.recipe.rename(moved / "small.yml")
    (moved / "files").mkdir(exist_ok=True)
    (moved / "files/motd").write_text("Welcome.\n")
    assert place.doit("build", image="moved/small.yml").succeeded().stages() == set()
    assert outputs_of(place) == built.outputs


def test_a_feature_that_is_not_built_yet_is_refused_by_name(place: Place) -> None:
    recipe = place.family.recipe
    recipe["disk"]["partitions"][1]["fsType"] = "f2fs"
    place.write(recipe)
    ran = place.doit("build").refused("not built yet", "disk.partitions[1].fsType", "f2fs")
    assert len(ran.ran) <= 1

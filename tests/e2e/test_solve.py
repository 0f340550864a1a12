"""A request without an answer: every problem at once, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bench import Bench
    from .tiny import Tiny


def test_packages_that_do_not_exist_and_what_was_meant(bench: Bench) -> None:
    bench.write("systemConfig: {packages: [helo, nonsense, hello=7]}")
    bench.oic("solve").refused(
        "solve:small failed: ",
        "small.yml:8: systemConfig.packages[0]: there is no package helo (did you mean hello?)\n",
        "\n    8 | systemConfig: {packages: [helo, nonsense, hello=7]}\n",
        "\nsmall.yml:8: systemConfig.packages[1]: there is no package nonsense\n",
        "\nsmall.yml:8: systemConfig.packages[2]: expected hello in version 7, found 1",
    )


def test_validate_solves_too_when_asked(bench: Bench) -> None:
    bench.write("systemConfig: {packages: [hello]}")
    bench.oic("validate", "solve=yes").succeeded("a valid recipe\n  6 packages for the image, 0.0 MB to download\n")
    bench.write("systemConfig: {packages: [helo]}")
    bench.oic("validate", "solve=yes").refused("small.yml:8: systemConfig.packages[0]: there is no package helo")
    bench.oic("validate").succeeded("a valid recipe")


def test_a_set_that_cannot_be(bench: Bench) -> None:
    bench.write("systemConfig: {packages: [clash, broken]}")
    bench.oic("solve").refused(
        "broken 1 needs nowhere (>= 3), which no package provides",
        "clash 1 does not go with hello 1 (it conflicts with hello)",
    )
    assert not (bench.image / "lock.json").exists()
    bench.write()
    bench.oic("solve").succeeded("-- metadata:small", "6 packages for the image, 2 packages for the tools")


def test_an_index_that_is_as_signed_and_leads_elsewhere(bench: Bench, tiny: Tiny) -> None:
    tiny.packages = {**tiny.packages, "hello_1": replace(tiny.package("hello_1"), file="../../hello.deb")}
    tiny.publish()
    outside = "tiny: hello: expected a Filename below the repository, found 'pool/../../hello.deb'"
    bench.oic("solve").refused_in_one_line(f"solve:small failed: {outside}")


def test_a_package_of_another_architecture(bench: Bench) -> None:
    bench.write("systemConfig: {packages: ['hello:arm64']}")
    bench.oic("solve").refused_in_one_line("hello:arm64: expected packages for amd64, found arm64")


def test_an_index_lost_from_the_store_is_fetched_again(bench: Bench) -> None:
    bench.oic("solve").succeeded()
    for blob in [path for path in (bench.cache / "store/sha256").rglob("*") if path.is_file()]:
        blob.unlink()
    bench.oic("solve").succeeded(".  metadata:small", "-- solve:small")
    bench.write("systemConfig: {packages: [big]}")
    bench.oic("solve").succeeded("-- metadata:small", ".  solve:small")

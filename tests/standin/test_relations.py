"""Debian's relations keep their meaning when they are translated for rpm, as dpkg and rpm show."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from oic.provider.deb.relation import Relation, parse_relations

from .relations import capability, evr, evr_text, requirement

VERSIONS = (
    "1.2-1",
    "1.2-1+b1",
    "1.2-1+deb12u1",
    "1.2-2",
    "1.2~rc1-1",
    "1.2+dfsg-1",
    "1:1.0-3",
    "1.2.1",
    "1.10-1",
    "2:2.6.1-4~deb12u2",
)


def compared_by_dpkg(version: str, bound: str) -> int:
    for operator, answer in (("lt", -1), ("eq", 0)):
        if subprocess.run(["dpkg", "--compare-versions", version, operator, bound], check=False).returncode == 0:
            return answer
    return 1


def compared_by_rpm(pairs: list[tuple[str, str]]) -> list[int]:
    calls = " ".join(f"compared('{left}', '{right}')" for left, right in pairs)
    lua = "function compared(a, b) a, b = rpm.ver(a), rpm.ver(b); print(a < b and -1 or a == b and 0 or 1, ' ') end"
    done = subprocess.run(["rpm", "--eval", f"%{{lua: {lua} {calls}}}"], capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


@pytest.mark.skipif(not (shutil.which("rpm") and shutil.which("dpkg")), reason="needs rpm and dpkg")
def test_versions_keep_their_order() -> None:
    pairs = list(itertools.product(VERSIONS, VERSIONS))
    theirs = compared_by_rpm([(evr_text(left, release="0"), evr_text(right, release="0")) for left, right in pairs])
    assert theirs == [compared_by_dpkg(left, right) for left, right in pairs]


def test_an_epoch_of_0_is_left_out() -> None:
    assert evr("0:1-2") == ("", "1", "2")


def test_a_hyphen_in_an_upstream_version_becomes_a_dot() -> None:
    assert evr("1:2.11-20080614-0") == ("1", "2.11.20080614", "0")


@pytest.mark.parametrize(
    ("relation", "capabilities"),
    [
        ("libc6 (>= 2.36)", "deb(libc6) >= 2.36"),
        ("libc6", "deb(libc6)"),
        ("libc6 (= 2.36-9)", "deb(libc6) = 2.36-9"),
        ("media-types (= 10.0.0)", "deb(media-types) = 10.0.0-0"),
        ("libc6 (<< 2:3)", "deb(libc6) < 2:3"),
        ("libc6 (>> 2.36)", "deb(libc6) >= 2.36"),
        ("libc6 (>> 2.36-1)", "deb(libc6) > 2.36-1"),
        ("python3:any", "deb(python3)"),
        ("gawk | mawk (>= 1)", "(deb(gawk) or deb(mawk) >= 1)"),
    ],
)
def test_a_relation_is_translated_for_rpm(relation: str, capabilities: str) -> None:
    (clause,) = parse_relations(relation, "amd64")
    assert requirement(clause, ()) == capabilities


def test_packages_that_only_maintainer_scripts_need_are_not_required() -> None:
    (clause,) = parse_relations("debconf (>= 0.5) | debconf-2.0", "amd64")
    assert requirement(clause, {"debconf"}) == ""


def test_a_virtual_package_is_a_capability() -> None:
    assert capability(Relation(name="awk")) == "deb(awk)"

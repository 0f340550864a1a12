# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""The links of the documentation lead somewhere: to files of the project, and to headings in them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from oic.plan import KINDS

PROJECT = Path(__file__).parent.parent
PAGES = sorted({*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")})
LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^()\s]+)\)")
FENCE = re.compile(r"^```.*?^```|^(?: {4}|\t)[^\n]*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """Return what the headings of a page are called in a link, as GitHub and GitLab name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)) for heading in headings]
    return {heading.strip().lower().replace(" ", "-") for heading in plain}


def broken_in(page: Path) -> list[str]:
    found = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = unquote(link).partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert broken_in(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    """Otherwise the test above would pass for nothing."""
    page = tmp_path / "a.md"
    links = "[a](a.md) [b](b.md) [c](#one-two-three) [d](a.md#four) `[e](e.md)`"
    page.write_text(f"# One `two`, three\n{links}\n\n    [f](f.md)\n\n```\n[g](g.md)\n```\n\n[h](h.md)\n")
    assert broken_in(page) == ["b.md", "a.md#four", "h.md"]


def test_the_readme_has_every_stage_with_its_hand_overs() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", readme, re.MULTILINE))
    assert list(rows) == [kind.name for kind in KINDS]
    for kind in KINDS:
        assert [handover.FILE for handover in kind.writes if f"`{handover.FILE}`" not in rows[kind.name]] == []
    graph = readme.partition("## The graph")[2].partition("| stage |")[0]
    assert [kind.name for kind in KINDS if kind.name not in graph] == []

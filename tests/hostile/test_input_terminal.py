"""What strangers write and a terminal would obey: shown escaped, wherever it comes from; logs keep it as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.errors import OicError, ToolError, one_line, printable
from oic.process.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.bench import Bench
    from e2e.tiny import Tiny

TITLE = "\x1b]0;owned\x07"
OBEYED = ["\x1b[2J", TITLE, "\r", "\b", "\x00", "\x7f", "\x9b2J", "\x85", "\u2028", "\u2029", "\u200b", "\ufeff"]
OBEYED += [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\udc9b"]


def obeyed_in(text: str) -> list[str]:
    return [one for one in text if not one.isprintable() and one not in "\n\t"]


@pytest.mark.parametrize("text", OBEYED, ids=ascii)
def test_an_error_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    error = OicError(f"found {text}x", where=f"a{text}", hint=f"b{text}")
    assert obeyed_in(str(error)) == []
    assert str(error).count(repr(text)[1:-1].replace("\\\\", "\\")) == 3
    assert printable(str(error)) == str(error), "escaped once, however often it is looked at"
    assert str(error).encode()


def test_lists_keep_their_lines_and_letters_stay() -> None:
    text = "a list:\n\tzwölf Boxkämpfer, 日本語, 🙂"
    assert str(OicError(text)) == text
    assert one_line("a\n\tb") == "a\\n\\tb"


def test_a_script_s_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ToolError) as raised:
        run(["sh", "-c", r"printf 'one\n\033]0;owned\007\302\233two\n'; exit 1"], log=log, capture=False)
    assert "\n    one\n    \\x1b]0;owned\\x07\\x9btwo" in str(raised.value)
    assert b"\n\x1b]0;owned\x07\xc2\x9btwo\n" in log.read_bytes()


def test_a_redirect_before_any_signature(bench: Bench, tiny: Tiny) -> None:
    answer = (
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: file:///\x1b]0;owned\x07\xc2\x9b\xe2\x80\xae\r\n\r\n"
    )
    tiny.mirror.answers["/debian/dists/tiny/InRelease"] = lambda request: request.socket.sendall(answer)
    ran = bench.oic("solve")
    ran.refused_in_one_line("refused a redirect to file:///")
    assert obeyed_in(ran.said) == []


@pytest.mark.parametrize("name", ["Suite", "Codename"])
def test_a_suite_that_is_signed(name: str, bench: Bench, tiny: Tiny) -> None:
    fields: dict[str, Any] = {"Suite": "other", "Codename": "other", name: f"x{TITLE}\u202e\x9b"}
    tiny.publish(**fields)
    ran = bench.oic("solve")
    ran.refused_in_one_line("expected suite tiny, found")
    assert obeyed_in(ran.said) == []


def test_what_is_said_of_a_recipe(bench: Bench) -> None:
    bench.write(
        'systemConfig: {configurations: [{cmd: "echo \\e]0;owned\\a \\x9b \\u202e"}], hostname: "\\x9b\\u202e"}\n'
    )
    ran = bench.oic("validate")
    ran.refused("systemConfig.hostname")
    assert obeyed_in(ran.said) == []
    bench.write('systemConfig: {configurations: [{cmd: "echo \\e]0;owned\\a \\x9b \\u202e"}]}\n')
    ran = bench.oic("config")
    assert obeyed_in(ran.said) == []
    config = yaml.safe_load(ran.said[ran.said.index("image:") :])
    assert config["systemConfig"]["configurations"][0]["cmd"] == "echo \x1b]0;owned\a \x9b \u202e"
    ran = bench.oic("config", "format=json")
    assert obeyed_in(ran.said) == []
    config = json.loads(ran.said[ran.said.index("{") : ran.said.rindex("}") + 1])
    assert config["systemConfig"]["configurations"][0]["cmd"] == "echo \x1b]0;owned\a \x9b \u202e"

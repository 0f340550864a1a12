"""What fuzzing found once, as it was found (``corpus/NAME/finding-…``), and what is said of it since."""

from __future__ import annotations

import contextlib

import pytest
from provider.rpm.repodata import documents_of

from oic.errors import OicError, TrustError
from oic.provider.rpm.markup import refuse_markup

from .catalogue import HARNESSES
from .harness import HERE, check, limits

WORDS = {
    "apt-sources/finding-zero-byte": "",
    "boot-image/finding-section": "cannot add section '.linux': expected at most 8 bytes, and none of \\n",
    "boot-report/finding-blob": "",
    "boot-report/finding-mount": "",
    "boot-report/finding-package": "",
    "console/finding-cut": "",
    "console/finding-endless": "",
    "deb-package/finding-member": "expected an ar member of a plain name at byte 72, found 'data.",
    "ext4-inodes/finding-cut-off": "expected an ext image with the features given to mke2fs, found a truncated one",
    "ext4-inodes/finding-far-table": "expected an ext image with the features given to mke2fs, found a truncated one",
    "ext4-inodes/finding-no-groups": "expected an ext image with the features given to mke2fs, found another kind",
    "gpg-status/finding-blank": "expected a signature by a key of this repository",
    "gpg-status/finding-errsig": "expected a whole line of gpg's verdict, found 'ERRSIG",
    "gpg-status/finding-validsig": "expected a whole line of gpg's verdict, found 'VALIDSIG",
    "keybox/finding-short": "",
    "recipe/finding-mirror": "expected a URL, found 'http://[",
    "rpm-package/finding-digest": "expected a header of sha1 3a34\\n, found ",
    "rpm-package/finding-name": "expected the package made 1.0-1 noarch, found a\\nb 1.0-1 noarch",
    "rpm-package/finding-payload": "expected a payload of sha256 a\\nb, found ",
    "rpm-primary/finding-nested": "expected a dependency of at most 100 nested parentheses, found more",
    "rpm-rich/finding-nested": "expected a dependency of at most 100 nested parentheses, found more",
}
"""By file, how the refusal begins; empty: it is no error, or one of a part of it."""


def test_the_table_has_all_that_was_found() -> None:
    files = {file.relative_to(HERE / "corpus").as_posix() for file in (HERE / "corpus").glob("*/finding-*")}
    assert files == WORDS.keys()


@pytest.mark.parametrize("name", WORDS)
def test_what_was_found_is_refused_in_words_or_read(name: str) -> None:
    harness = HARNESSES[name.partition("/")[0]]
    data = (HERE / "corpus" / name).read_bytes()
    with limits():
        check(harness, data)
    expected = contextlib.nullcontext() if not WORDS[name] else pytest.raises(OicError)
    with expected as raised:
        harness.run(data)
    if raised is not None:
        assert WORDS[name] in str(raised.value)


def test_a_dependency_that_would_take_libsolv_s_stack_is_refused_before() -> None:
    """Not through the harness: where it is read all the same, that is the end of the process."""
    nested = "(" * 200_000 + "tool" + ")" * 200_000
    document = documents_of([{"nevra": "app-1-1", "requires": [nested]}])["primary"]
    with pytest.raises(TrustError, match="expected a dependency of at most 100 nested parentheses"):
        refuse_markup(document, root="metadata", where="primary")

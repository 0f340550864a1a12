"""Which versions are of a series, as ``kernel.version`` names it."""

from __future__ import annotations

import pytest

from oic.ospackage.series import in_series


@pytest.mark.parametrize(
    "version", ["6.12", "6.12.3", "6.12-1", "6.12_x", "6.12+deb13", "6.12~rc1", "1:6.12", "1:6.12.3-1~bpo12+1"]
)
def test_a_version_that_goes_on_after_a_separator_is_of_the_series(version: str) -> None:
    assert in_series(version, "6.12")


@pytest.mark.parametrize("version", ["6.1", "6.120", "6.12a", "16.12", "5.6.12", "6x12", "6:12", "", "12:6.1"])
def test_any_other_is_not(version: str) -> None:
    assert not in_series(version, "6.12")

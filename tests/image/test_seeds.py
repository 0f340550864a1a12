import uuid

from hypothesis import given
from hypothesis import strategies as st

from oic.image.seeds import uuid_for, volume_id_for


def test_a_seed_and_a_purpose_always_give_the_same_identifiers() -> None:
    assert uuid_for("edge", "disk") == uuid_for("edge", "disk")
    assert volume_id_for("edge", "esp") == volume_id_for("edge", "esp")


@given(st.text(), st.text())
def test_every_uuid_says_that_it_is_custom(seed: str, purpose: str) -> None:
    parsed = uuid.UUID(uuid_for(seed, purpose))
    assert parsed.variant == uuid.RFC_4122
    assert parsed.version == 8
    assert str(parsed) == uuid_for(seed, purpose)


def test_seed_and_purpose_are_told_apart() -> None:
    assert uuid_for("ab", "c") != uuid_for("a", "bc")

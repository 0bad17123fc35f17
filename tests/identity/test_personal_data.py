"""Personal data: what is sealed opens only where it was sealed, equal values are found, and masks hide the middle."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domain.kernel.personal_data import kind_of, last4, mask_address, mask_number
from tenancy.lender import ACTIVE, Lender
from xiaodai.keys import CannotOpen, LenderKeys

A = Lender(
    id=UUID(int=1),
    code="alpha",
    name="甲小贷",
    status=ACTIVE,
    licence_type="TRADITIONAL",
    sandbox=True,
    business_date=date(2026, 11, 24),
    created_at=datetime(2026, 11, 24, tzinfo=UTC),
    installation="test",
)
B = replace(A, id=UUID(int=2), code="beta")
KEYS = LenderKeys(b"k" * 32)
NUMBER, PLACE = "510102199001011234", "individual_customers/id_number/1"


def test_a_sealed_value_opens_again_and_is_never_the_same_twice():
    first, second = KEYS.seal(A, PLACE, NUMBER), KEYS.seal(A, PLACE, NUMBER)
    assert first != second
    assert NUMBER.encode() not in first
    assert KEYS.open(A, PLACE, first) == KEYS.open(A, PLACE, second) == NUMBER


@pytest.mark.parametrize(
    ("keys", "lender", "place"),
    [
        (KEYS, B, PLACE),
        (KEYS, A, "individual_customers/id_number/2"),
        (KEYS, A, "individual_customers/mobile/1"),
        (LenderKeys(b"q" * 32), A, PLACE),
    ],
    ids=["other lender", "other row", "other column", "other master key"],
)
def test_a_sealed_value_opens_nowhere_else(keys, lender, place):
    with pytest.raises(CannotOpen):
        keys.open(lender, place, KEYS.seal(A, PLACE, NUMBER))


@pytest.mark.parametrize("length", [0, 1, 5, 10, 17, 30])
def test_a_value_cut_short_does_not_open(length):
    with pytest.raises(CannotOpen):
        KEYS.open(A, PLACE, KEYS.seal(A, PLACE, NUMBER)[:length])


def test_every_changed_byte_is_noticed():
    sealed = KEYS.seal(A, PLACE, NUMBER)
    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(CannotOpen):
            KEYS.open(A, PLACE, changed)


def test_fingerprints_find_equal_values_of_one_kind_at_one_lender():
    found = KEYS.fingerprint(A, "id_number", NUMBER)
    assert found == KEYS.fingerprint(A, "id_number", NUMBER)
    assert len({found, KEYS.fingerprint(B, "id_number", NUMBER), KEYS.fingerprint(A, "mobile", NUMBER)}) == 3


def test_a_short_master_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        LenderKeys(b"short")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (mask_number("510102199001011234"), "510***********1234"),
        (mask_number("13800001234"), "138****1234"),
        (mask_number("1234567"), "*******"),
        (mask_address("四川省成都市武侯区一号"), "四川省成都市****"),
        (mask_address("成都"), "****"),
        (last4("6222020000000001234"), "1234"),
    ],
)
def test_masks(shown, expected):
    assert shown == expected


def test_a_column_tells_its_kind_by_its_ending():
    assert (kind_of("id_number"), kind_of("spouse_id_number"), kind_of("contact_mobile")) == (
        "id_number",
        "id_number",
        "mobile",
    )
    with pytest.raises(ValueError, match="ends in none"):
        kind_of("mobile_phone")

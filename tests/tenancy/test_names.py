"""Codes, roles, quoting and passwords (promise T9)."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy.naming import CODE, BadName, check_code, literal, quote, role_of, schema_of
from tenancy.passwords import lender_password, scram_verifier
from tenancy.provision import Blueprint
from tests.support.lenders import MASTER_SECRET, Platform, a_request

BAD = [
    "",
    "a",
    "A",
    "Alpha",
    "1a",
    "_a",
    "a-b",
    "a b",
    "a.b",
    'a"; drop schema t_alpha cascade; --',
    "public",
    "catalog",
    "information_schema",
    "pg_x",
    "pg_",
    "a" * 32,
    "a" * 64,
    "alphа",  # the last letter is Cyrillic
    "ａlpha",  # the first letter is full width
    "alpha\n",
    "alpha\0",
    "贷款",
]


@pytest.mark.parametrize("code", BAD)
def test_bad_codes_are_refused(code: str) -> None:
    for name in (check_code, schema_of, lambda code: role_of("i1", code)):
        with pytest.raises(BadName):
            name(code)


@pytest.mark.parametrize("code", BAD)
async def test_bad_codes_reach_no_database(place: Platform, blueprint: Blueprint, code: str) -> None:
    with pytest.raises(BadName):
        await place.provision(code, blueprint)
    with pytest.raises(BadName):
        await place.catalog.file_provisioning(a_request(code))


def test_control_a_pattern_that_only_begins_well_lets_bad_codes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of T9: a check that matches the beginning instead of the whole is found by this list."""
    monkeypatch.setattr("tenancy.naming.CODE", re.compile(r"[a-z][a-z0-9_]{1,30}.*", re.DOTALL))
    let_in = set()
    for code in BAD:
        with contextlib.suppress(BadName):
            let_in.add(check_code(code))
    assert {'a"; drop schema t_alpha cascade; --', "alpha\n", "a" * 64} & let_in == {"alpha\n", "a" * 64}
    assert "alphа" in let_in


@given(st.text(max_size=40))
def test_what_is_accepted_is_plain(text: str) -> None:
    try:
        code = check_code(text)
    except BadName:
        return
    assert CODE.fullmatch(code)
    assert quote(schema_of(code)) == f'"t_{code}"'
    assert len(role_of("i" * 12, code).encode()) <= 63


@given(st.from_regex(r"\A[a-z][a-z0-9_]{1,30}\Z"), st.from_regex(r"\A[a-z0-9]{1,12}\Z"))
def test_two_lenders_never_share_a_role(code: str, installation: str) -> None:
    if code.startswith("pg_") or code in ("public", "catalog", "information_schema"):
        return
    role = role_of(installation, code)
    assert role.removeprefix("xd_").split("_", 1) == [installation, code]


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=15))
def test_quoting_closes_nothing(name: str) -> None:
    assert closes_nothing(quote(name), '"')
    assert closes_nothing(literal(name).removeprefix("E"), "'")


def closes_nothing(quoted: str, mark: str) -> bool:
    inside = quoted[1:-1].replace("\\\\", "")
    return quoted[0] == quoted[-1] == mark and mark not in inside.replace(mark * 2, "")


def test_control_pasting_a_name_is_found() -> None:
    """Control of T9: a name that is put between quotes as it stands closes them."""
    pasted = 'a"; drop schema t_alpha cascade; --'
    assert not closes_nothing(f'"{pasted}"', '"')
    assert closes_nothing(quote(pasted), '"')


def test_a_long_name_is_refused_not_cut() -> None:
    with pytest.raises(BadName):
        quote("贷" * 22)


def test_passwords_differ_by_all_they_depend_on() -> None:
    base = ("i1", "alpha", 1)
    other = [("i2", "alpha", 1), ("i1", "beta", 1), ("i1", "alpha", 2)]
    passwords = {lender_password(MASTER_SECRET, *what) for what in [base, *other]}
    passwords.add(lender_password(MASTER_SECRET + b"!", *base))
    assert len(passwords) == 5
    assert lender_password(MASTER_SECRET, *base) == lender_password(MASTER_SECRET, *base)


def test_a_short_master_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        lender_password(b"short", "i1", "alpha", 1)


def test_the_verifier_does_not_hold_the_password() -> None:
    password = lender_password(MASTER_SECRET, "i1", "alpha", 1)
    assert password not in scram_verifier(password, b"0123456789abcdef")

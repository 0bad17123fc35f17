"""Passwords: Argon2id with the parameters of promise A1, and the same work for nobody as for somebody."""

import statistics
import time

from argon2 import PasswordHasher

from xiaodai.auth.passwords import hash_password, matches, outdated

PASSWORD = "correct horse battery"


def test_the_hash_says_its_parameters():
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


def test_only_the_password_matches():
    kept = hash_password(PASSWORD)
    assert matches(kept, PASSWORD)
    assert not any(matches(kept, wrong) for wrong in ("", PASSWORD + " ", PASSWORD.upper()))


def test_nobody_and_nonsense_match_nothing():
    assert not matches(None, PASSWORD)
    assert not matches(None, "a password that nobody has")
    assert not matches("not a hash", PASSWORD)


def test_a_hash_of_weaker_parameters_is_outdated():
    assert outdated(PasswordHasher(memory_cost=8_192, time_cost=1, parallelism=1).hash(PASSWORD))
    assert not outdated(hash_password(PASSWORD))


def test_an_unknown_user_costs_as_much_as_a_known_one():
    kept = hash_password(PASSWORD)

    def cost(password_hash: str | None) -> float:
        begun = time.process_time()
        matches(password_hash, "a wrong password")
        return time.process_time() - begun

    cost(None)  # the dummy hash is made once
    known, unknown = zip(*((cost(kept), cost(None)) for _ in range(15)), strict=True)
    assert 0.7 < statistics.median(unknown) / statistics.median(known) < 1.4

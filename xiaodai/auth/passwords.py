"""密码 · Argon2id (promise A1). Hashing takes some 30 ms of a core, so it runs in two threads of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)  # KiB; the least that OWASP recommends
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def hash_password(password: str) -> str:
    """`$argon2id$v=19$m=19456,t=2,p=1$…`, with a salt of its own."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Without a hash (nobody of that name) it takes the same time and is False."""
    try:
        _hasher.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


async def hash_in_thread(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, hash_password, password)


async def matches_in_thread(password_hash: str | None, password: str) -> bool:
    return await asyncio.get_running_loop().run_in_executor(_threads, matches, password_hash, password)


@cache
def _nobody() -> str:
    return hash_password("a password that nobody has")

"""个人信息密钥 · The keys for personal data: one pair per lender, derived from the master key and never stored.

A sealed value is `format (1) ‖ key id (4) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag`. The key id names the master key
that it was sealed under. Lender, table, column and row are associated data, so a value moved elsewhere does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenancy.lender import Lender

FORMAT = b"\x01"
NONCE_AT = 5
CIPHERTEXT_AT = 17


class CannotOpen(Exception):
    """The value was sealed under another key, for another place, or was changed. Says nothing about its content."""


class LenderKeys:
    """Implements `domain.kernel.ports.PersonalDataKeys`. One for each process."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) < 32:
            raise ValueError("the key for personal data must have at least 32 bytes")
        self._header = FORMAT + hashlib.sha256(b"xiaodai/key-id/" + master_key).digest()[:4]
        self._derive = lru_cache(maxsize=8192)(lambda purpose, lender_id: _derived(master_key, purpose, lender_id))

    def seal(self, lender: Lender, place: str, text: str) -> bytes:
        """`place` is `table/column/row`."""
        nonce = os.urandom(CIPHERTEXT_AT - NONCE_AT)
        ciphertext = self._cipher(lender).encrypt(nonce, text.encode(), _associated(lender, place))
        return self._header + nonce + ciphertext

    def open(self, lender: Lender, place: str, sealed: bytes) -> str:
        """Raises CannotOpen."""
        if sealed[:NONCE_AT] != self._header:
            raise CannotOpen("sealed in another format or under another master key")
        nonce, ciphertext = sealed[NONCE_AT:CIPHERTEXT_AT], sealed[CIPHERTEXT_AT:]
        try:
            return self._cipher(lender).decrypt(nonce, ciphertext, _associated(lender, place)).decode()
        except (InvalidTag, ValueError) as error:  # ValueError: cut off inside the nonce
            raise CannotOpen("sealed for another place, or changed") from error

    def fingerprint(self, lender: Lender, kind: str, text: str) -> bytes:
        """32 bytes that are equal for equal texts of one kind at one lender, and tell nothing without the key."""
        return hmac.digest(self._derive("fingerprint", lender.id), f"{kind}\0{text}".encode(), hashlib.sha256)

    def _cipher(self, lender: Lender) -> AESGCM:
        return AESGCM(self._derive("seal", lender.id))


def _derived(master_key: bytes, purpose: str, lender_id: UUID) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"xiaodai/{purpose}/{lender_id}".encode()).derive(master_key)


def _associated(lender: Lender, place: str) -> bytes:
    return f"{lender.id}/{place}".encode()

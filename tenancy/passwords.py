"""登录口令 · The passwords of the lenders' logins: derived, never stored.

A keyed hash of the master secret per installation, code and generation. The server is given the SCRAM verifier, not
the password, so a logged CREATE ROLE gives nothing away. Raising a lender's generation changes the password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

# The password holds 256 random bits, so stretching it protects nothing; every new connection would pay for it.
ITERATIONS = 64


def lender_password(master_secret: bytes, installation: str, code: str, generation: int) -> str:
    """43 characters of URL-safe base64 (256 bits)."""
    if len(master_secret) < 32:
        raise ValueError("the master secret must have at least 32 bytes")
    told = f"xiaodai/lender-login/{installation}/{code}/{generation}".encode()
    digest = hmac.digest(master_secret, told, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5803, SCRAM-SHA-256)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", hashlib.sha256)
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", hashlib.sha256)
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"

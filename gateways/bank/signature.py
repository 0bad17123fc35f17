"""How calls between lender and bank are signed: HMAC-SHA256 over method, path, moment and body, valid for five minutes."""

from __future__ import annotations

import hashlib
import hmac
import time

MOMENT = "x-bank-moment"
SIGNATURE = "x-bank-signature"
VALID_SECONDS = 300


def signature(secret: str, method: str, path: str, moment: str, body: bytes) -> str:
    """The signature of one call, in hexadecimal."""
    text = b"\n".join((method.upper().encode(), path.encode(), moment.encode(), body))
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def signed(secret: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """The headers of a signed call, made now."""
    moment = str(int(time.time()))
    return {MOMENT: moment, SIGNATURE: signature(secret, method, path, moment, body)}


def is_genuine(secret: str, method: str, path: str, body: bytes, *, moment: str, given: str) -> bool:
    """True when the signature is right and the moment is recent."""
    if not moment.isdecimal() or abs(time.time() - int(moment)) > VALID_SECONDS:
        return False
    return hmac.compare_digest(given.encode(), signature(secret, method, path, moment, body).encode())

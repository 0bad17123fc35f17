"""租户命名 · How a lender's code becomes a schema, a role and safe SQL text.

Every name that reaches DDL passes through `quote` here, and every code through `check_code` first, so nothing a
person typed is ever pasted into a statement.
"""

from __future__ import annotations

import re

CODE = re.compile(r"[a-z][a-z0-9_]{1,30}", re.ASCII)
INSTALLATION = re.compile(r"[a-z0-9]{1,12}", re.ASCII)
RESERVED = frozenset({"public", "information_schema", "catalog"})
LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer names silently, which would make two lenders one


class BadName(ValueError):
    """A lender code, installation id or identifier that must not reach the database."""


def check_code(code: str) -> str:
    """The code itself when it may name a lender: 2 to 31 of a-z, 0-9, _, a letter first, not reserved. Or BadName."""
    if not CODE.fullmatch(code):
        raise BadName("a lender code is 2 to 31 characters of a-z, 0-9 and _, and begins with a letter")
    if code in RESERVED or code.startswith("pg_"):
        raise BadName(f"the lender code {code!r} is reserved")
    return code


def check_installation(installation: str) -> str:
    """The id that keeps the roles of several installations on one server apart. No underscore, so no two roles meet."""
    if not INSTALLATION.fullmatch(installation):
        raise BadName("an installation id is 1 to 12 characters of a-z and 0-9")
    return installation


def schema_of(code: str) -> str:
    return f"t_{check_code(code)}"


def role_of(installation: str, code: str) -> str:
    return f"xd_{check_installation(installation)}_{check_code(code)}"


def quote(name: str) -> str:
    """An identifier for DDL, always in double quotes. The only place that writes a name into SQL text."""
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise BadName(f"not a name of 1 to {LONGEST_NAME} bytes: {name[:80]!r}")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal for statements that take no parameters (CREATE ROLE … PASSWORD)."""
    if "\0" in text:
        raise BadName("a text with a NUL byte")
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

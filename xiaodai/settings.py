"""Every setting, its meaning and its default. A setting `x` is the environment variable `XIAODAI_X`.

What must stay secret and is not given is made on first use and kept in `XIAODAI_HOME/secrets/` (mode 0600); a backup
without these files cannot be read, so operators keep them apart from the database (docs/operations).
"""

import os
import secrets
import string
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

REPOSITORY = Path(__file__).resolve().parent.parent


def default_home() -> Path:
    """`.xiaodai` in the checkout, or in the person's own folder when the checkout is somebody else's."""
    home = REPOSITORY / ".xiaodai"
    writable = os.access(home if home.exists() else REPOSITORY, os.W_OK)
    return home if writable else Path.home() / ".xiaodai"


class Settings(BaseSettings):
    """Read once per process with `get_settings()`; tests make their own with keyword arguments."""

    model_config = SettingsConfigDict(
        env_prefix="XIAODAI_", extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=default_home, description="Everything the program writes lies here.")

    # The database. Without `database_url` an embedded PostgreSQL is started in the home.
    database_url: str | None = Field(
        default=None, repr=False, description="Login `xiaodai_app`: the catalog, no lender's table."
    )
    owner_database_url: str | None = Field(
        default=None,
        repr=False,
        description="Login `xiaodai_owner`: provisions and migrates; given to the worker and commands only.",
    )
    test_database_url: str | None = Field(
        default=None, repr=False, description="Administrator's login of a server the tests may use."
    )
    pg_bin: Path | None = Field(default=None, description="Folder with initdb and postgres, instead of the wheel's.")
    connections: int = Field(default=20, ge=2, description="Cap of lenders' connections per process.")

    # Secrets: any text of at least 32 characters.
    given_master_secret: SecretStr | None = Field(
        default=None,
        validation_alias="XIAODAI_MASTER_SECRET",
        min_length=32,
        description="The lenders' database passwords derive from it.",
    )
    given_personal_data_key: SecretStr | None = Field(
        default=None,
        validation_alias="XIAODAI_PERSONAL_DATA_KEY",
        min_length=32,
        description="Wraps each lender's key for personal data.",
    )
    given_bank_secret: SecretStr | None = Field(
        default=None, validation_alias="XIAODAI_BANK_SECRET", min_length=32, description="Signs calls to the bank link."
    )
    given_installation: str | None = Field(
        default=None,
        validation_alias="XIAODAI_INSTALLATION",
        pattern=r"^[a-z0-9]{2,8}$",
        description="Part of the lenders' role names, so that several installations share a database server.",
    )

    # The server
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that answer requests.")
    public_url: str | None = Field(
        default=None, description="Address people use, when a proxy stands before the server."
    )
    secure_cookies: bool = Field(default=False, description="Send cookies over HTTPS only (set behind a TLS proxy).")
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged."
    )
    font: Path | None = Field(default=None, description="CJK font file for contracts, instead of the packaged one.")
    bank_simulator_url: str | None = Field(
        default=None, description="Simulated bank of sandbox lenders; `serve` sets it."
    )

    # Limits of one request (behaviour.md "Ids, errors, limits"; promises L1)
    max_body_bytes: int = Field(default=1_048_576, description="Largest request body.")
    max_frame_bytes: int = Field(default=262_144, description="Largest WebSocket frame.")
    max_tokens: int = Field(default=2_000, description="Tokens of a document.")
    max_depth: int = Field(default=10, description="Depth of a selection, fragments followed.")
    max_introspection_depth: int = Field(default=16, description="The same under __schema and __type.")
    max_aliases: int = Field(default=30, description="Aliased fields, fragments followed.")
    max_fragments: int = Field(default=30, description="Fragment definitions of a document.")
    max_directives: int = Field(default=3, description="Directives of one field.")
    max_operations: int = Field(default=10, description="Operations of a document; one of them runs.")
    max_errors: int = Field(default=5, description="Errors in one answer.")
    max_cost: int = Field(default=1_000, description="Objects an answer may hold.")
    operation_seconds: float = Field(default=10.0, description="Time of one operation before TIMEOUT.")
    receive_seconds: float = Field(default=10.0, lt=15, description="Time for a request to arrive before it is cut.")

    # Limits per person and address, over all processes of `serve`
    session_hours: int = Field(default=12, description="After this a person signs in again.")
    requests_per_second: int = Field(default=200, ge=1, description="Requests of one person.")
    lender_requests_per_second: int = Field(default=2_000, ge=1, description="Requests of all people of one lender.")
    signins_per_minute: int = Field(default=60, ge=25, description="Sign-ins from one address.")
    unknown_tokens_per_second: int = Field(default=20, ge=1, description="Tokens of nobody's shown by one address.")
    sockets_per_person: int = Field(default=5, description="Open WebSockets of one person.")
    sockets_per_lender: int = Field(default=500, description="Open WebSockets of all people of one lender.")
    subscriptions_per_socket: int = Field(default=20, description="Running subscriptions of one socket.")
    concurrent_operations: int = Field(default=64, description="Operations at once before OVERLOADED, per process.")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("database_url", "owner_database_url", "test_database_url")
    @classmethod
    def _driver(cls, url: str | None) -> str | None:
        return with_asyncpg(url) if url else None

    @cached_property
    def master_secret(self) -> bytes:
        return self._secret("master_secret", self.given_master_secret)

    @cached_property
    def personal_data_key(self) -> bytes:
        return self._secret("personal_data_key", self.given_personal_data_key)

    @cached_property
    def bank_secret(self) -> str:
        return self._secret("bank_secret", self.given_bank_secret).decode()

    @cached_property
    def installation(self) -> str:
        """Four to eight of [a-z0-9]; made once per home. The catalog remembers it too and refuses another one."""
        alphabet = string.ascii_lowercase + string.digits
        return self.given_installation or kept_secret(
            self.home, "installation", lambda: "".join(secrets.choice(alphabet) for _ in range(6))
        )

    def _secret(self, name: str, given: SecretStr | None) -> bytes:
        text = given.get_secret_value() if given else kept_secret(self.home, name, lambda: secrets.token_urlsafe(48))
        return text.encode()


@lru_cache
def get_settings() -> Settings:
    """The settings of this process. `get_settings.cache_clear()` after changing the environment."""
    return Settings()


def with_asyncpg(url: str) -> str:
    """`postgresql://…?sslmode=…` as people write it, in the form SQLAlchemy needs for asyncpg."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError("a database address begins with postgresql://")
    query = {("ssl" if key == "sslmode" else key): value for key, value in parsed.query.items()}
    return parsed.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def kept_secret(home: Path, name: str, make: Callable[[], str]) -> str:
    """The text kept in `home/secrets/name`, made by the first of all processes that ask."""
    folder = home / "secrets"
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        try:
            os.link(draft, path)  # fails if another process was first: then its text counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()

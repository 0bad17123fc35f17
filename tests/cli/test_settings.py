"""Settings: read from the environment, secrets made once, addresses in the driver's form."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from xiaodai.settings import REPOSITORY, Settings, default_home, kept_secret, with_asyncpg


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgres://u:p@h:5433/d", "postgresql+asyncpg://u:p@h:5433/d"),
        ("postgresql+asyncpg://u:p%40x@h/d", "postgresql+asyncpg://u:p%40x@h/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
    ],
)
def test_addresses_are_rewritten_for_the_driver(written: str, read: str) -> None:
    assert with_asyncpg(written) == read


def test_another_database_is_refused_without_showing_the_password(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(home=tmp_path, database_url="mysql://u:hush-hush@h/d")
    assert "postgresql://" in str(refused.value)
    assert "hush-hush" not in str(refused.value)


def test_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIAODAI_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XIAODAI_WORKERS", "3")
    monkeypatch.setenv("XIAODAI_MASTER_SECRET", "m" * 40)
    settings = Settings()
    assert (settings.home, settings.workers, settings.master_secret) == (tmp_path / "elsewhere", 3, b"m" * 40)
    assert not settings.home.exists()


def test_secrets_are_made_once_and_differ_between_homes(tmp_path: Path) -> None:
    one, again, other = (Settings(home=tmp_path / name) for name in ("one", "one", "other"))
    assert one.master_secret == again.master_secret != other.master_secret
    assert one.personal_data_key == again.personal_data_key != one.master_secret
    assert one.installation == again.installation != other.installation
    assert 4 <= len(one.installation) <= 8
    assert (tmp_path / "one" / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="XIAODAI_MASTER_SECRET"):
        Settings(home=tmp_path, XIAODAI_MASTER_SECRET="short")


def test_a_secret_does_not_show_in_prints(tmp_path: Path) -> None:
    assert "m" * 40 not in repr(Settings(home=tmp_path, given_master_secret="m" * 40))


def test_processes_that_ask_at_once_get_the_same_secret(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, uuid; from xiaodai.settings import kept_secret\n"
        "print(kept_secret(pathlib.Path(sys.argv[1]), 'x', lambda: uuid.uuid4().hex))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) for _ in range(4)]
    answers = {process.communicate()[0].strip() for process in asking}
    assert answers == {kept_secret(tmp_path, "x", lambda: "too late")}
    assert sorted(path.name for path in (tmp_path / "secrets").iterdir()) == ["x"]


def test_the_home_is_in_the_checkout_unless_that_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: True)
    assert default_home() == REPOSITORY / ".xiaodai"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert default_home() == Path.home() / ".xiaodai"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []

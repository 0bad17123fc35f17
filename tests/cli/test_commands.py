"""Commands against a real embedded server: what they do, what they print, what they refuse."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xiaodai.cli import app
from xiaodai.cli.output import Problem
from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.settings import REPOSITORY, get_settings

Run = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("commands")
    server = EmbeddedPostgres(folder, durable=False)
    with server.running():  # so that each command need not start it
        yield folder
    server.reset()


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in the home of this file; answers what it printed, raises what it refused."""
    monkeypatch.setenv("XIAODAI_HOME", str(home))
    for name in ("XIAODAI_DATABASE_URL", "XIAODAI_OWNER_DATABASE_URL", "XIAODAI_OPERATOR_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def go(*arguments: str, typed: str | None = None, code: int = 0) -> str:
        get_settings.cache_clear()
        result = CliRunner().invoke(app, arguments, input=typed)
        if isinstance(result.exception, Problem):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    yield go
    get_settings.cache_clear()


def test_status_tells_programs_where_it_runs(run: Run, home: Path) -> None:
    status = json.loads(run("db", "status", "--json"))
    assert status["running"] is True
    assert status["port"] == EmbeddedPostgres(home).port()


def test_an_operator_is_created_with_a_hash_only(run: Run, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    monkeypatch.setenv("XIAODAI_OPERATOR_PASSWORD", "correct horse battery")
    assert json.loads(run("operator", "create", "--username", "root", "--json")) == {"username": "root"}
    capfd.readouterr()
    run("db", "psql", "-A", "-t", "-c", "SELECT username, password_hash FROM catalog.operators WHERE username = 'root'")
    assert capfd.readouterr().out.startswith("root|$argon2id$v=19$m=19456")


def test_an_operator_with_a_password_from_standard_input(run: Run) -> None:
    said = run("operator", "create", "--username", "second", "--password-stdin", typed="a long password\n")
    assert "second may sign in" in said
    with pytest.raises(Problem, match="operator second already"):
        run("operator", "create", "--username", "second", "--password-stdin", typed="a long password\n")


@pytest.mark.parametrize(
    ("username", "typed", "why"),
    [
        ("third", "elevenchars\n", "at least 12 characters"),
        ("third", "", "at least 12 characters"),
        (" third", "a long password\n", "no space"),
        ("t" * 101, "a long password\n", "1 to 100"),
    ],
)
def test_a_wrong_operator_is_refused(run: Run, username: str, typed: str, why: str) -> None:
    with pytest.raises(Problem, match=why):
        run("operator", "create", "--username", username, "--password-stdin", typed=typed)


def test_without_a_terminal_the_password_needs_a_way_in(run: Run) -> None:
    with pytest.raises(Problem, match="--password-stdin"):
        run("operator", "create", "--username", "fourth", typed="")


def create(run: Run, code: str, *more: str, net_assets: str = "200,000,000.00") -> str:
    wish = ["--name", "锦江惠民小额贷款有限公司", "--net-assets", net_assets, "--open-on", "2025-01-01", "--sandbox"]
    return run("tenant", "create", code, *wish, *more, typed="a long password\n")


def test_the_life_of_a_lender(run: Run) -> None:
    made = json.loads(create(run, "jinjiang", "--json"))
    assert (made["code"], made["status"], made["business_date"]) == ("jinjiang", "ACTIVE", "2025-01-01")
    assert "jinjiang" in [lender["code"] for lender in json.loads(run("tenant", "list", "--json"))]
    assert "锦江惠民" in run("tenant", "list")
    assert json.loads(run("tenant", "suspend", "jinjiang", "--json"))["status"] == "SUSPENDED"
    assert json.loads(run("tenant", "suspend", "jinjiang", "--json"))["status"] == "SUSPENDED"
    assert json.loads(run("tenant", "resume", "jinjiang", "--json"))["status"] == "ACTIVE"
    migrated = json.loads(run("db", "migrate", "--dry-run", "--json"))
    assert {"lender": "jinjiang", "state": "DONE", "said": "is up to date"} in migrated
    with pytest.raises(Problem, match="jinjiang is taken"):
        create(run, "jinjiang")


def test_days_are_closed_once_and_the_books_are_proved(run: Run) -> None:
    create(run, "yunshui")
    close = ("day", "run", "--tenant", "yunshui", "--through", "2025-01-03", "--json")
    days = json.loads(run(*close))
    assert [(day["date"], day["state"], day["ledger_balanced"]) for day in days] == [
        (f"2025-01-0{number}", "CLOSED", True) for number in (1, 2, 3)
    ]
    assert json.loads(run(*close))[-1] == days[-1]
    assert "Everything adds up: yunshui" in run("verify", "--tenant", "yunshui")


def test_a_lender_outside_a_sandbox_does_not_run_ahead(run: Run) -> None:
    wish = ["--name", "天府", "--net-assets", "1000000", "--open-on", "2025-01-01"]
    run("tenant", "create", "tianfu", *wish, typed="a long password\n")
    with pytest.raises(Problem, match="tianfu"):
        run("day", "run", "--tenant", "tianfu", "--through", "2999-01-01")


def test_days_of_an_unknown_lender(run: Run) -> None:
    for command in (("day", "run"), ("verify",)):
        with pytest.raises(Problem, match="no active lender with the code nobody"):
            run(*command, "--tenant", "nobody")


@pytest.mark.parametrize("code", ["public", "Jinjiang", "pg_x", "a;drop"])
def test_a_code_that_cannot_be_is_refused(run: Run, code: str) -> None:
    with pytest.raises(Problem, match="choose another code"):
        create(run, code)


@pytest.mark.parametrize("amount", ["much", "-1", "0", "1.001", "NaN", "Infinity"])
def test_net_assets_are_an_amount_of_money(run: Run, amount: str) -> None:
    with pytest.raises(Problem, match="not an amount of money"):
        create(run, "bad", net_assets=amount)


def test_an_unknown_lender_cannot_be_suspended(run: Run) -> None:
    with pytest.raises(Problem, match="no open lender with the code nobody"):
        run("tenant", "suspend", "nobody")


def test_psql_knows_its_logins(run: Run, capfd) -> None:
    for login in ("owner", "app", "admin"):
        capfd.readouterr()
        run("db", "psql", "--login", login, "-A", "-t", "-c", "SELECT current_user")
        assert capfd.readouterr().out == f"xiaodai_{login}\n"
    with pytest.raises(Problem, match="no login 'root' here"):
        run("db", "psql", "--login", "root")


def test_psql_passes_its_exit_code_on(run: Run) -> None:
    run("db", "psql", "-c", "SELECT broken", code=1)


def test_a_catalog_of_another_installation_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "migrate")
    monkeypatch.setenv("XIAODAI_INSTALLATION", "other")
    with pytest.raises(Problem, match="belongs to the installation"):
        run("db", "migrate")


def test_with_a_server_of_ones_own_nothing_is_embedded(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    addresses = EmbeddedPostgres(home).addresses()
    monkeypatch.setenv("XIAODAI_DATABASE_URL", addresses.app.replace("+asyncpg", ""))
    with pytest.raises(Problem, match="Set both"):
        run("tenant", "list")
    monkeypatch.setenv("XIAODAI_OWNER_DATABASE_URL", addresses.owner.replace("+asyncpg", ""))
    monkeypatch.setenv("XIAODAI_HOME", str(home / "without a server"))
    monkeypatch.setenv("XIAODAI_INSTALLATION", (home / "secrets" / "installation").read_text())
    run("db", "migrate")
    assert not (home / "without a server" / "postgres").exists()
    with pytest.raises(Problem, match="nothing is embedded"):
        run("db", "start")


def test_a_server_that_is_away_gets_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XIAODAI_DATABASE_URL", "XIAODAI_OWNER_DATABASE_URL"):
        monkeypatch.setenv(name, "postgresql://nobody:x@127.0.0.1:1/xiaodai")
    with pytest.raises(Problem, match="The database cannot be used"):
        run("tenant", "list")


def test_reset_asks_first(run: Run) -> None:
    with pytest.raises(Problem, match="--yes"):
        run("db", "reset")


def test_the_printed_schema_is_the_one_in_git(run: Run) -> None:
    assert run("schema", "print") == (REPOSITORY / "schema" / "schema.graphql").read_text(encoding="utf-8")


def test_the_steps_of_test() -> None:
    from xiaodai.cli.test import steps

    assert [step[0] for step in steps([])] == ["ruff", "ruff", "mypy", "pytest"]
    assert steps(["-k", "waiver"])[-1] == ["pytest", "-n", "2", "--dist", "worksteal", "-k", "waiver"]
    assert steps(["-n0"])[-1] == ["pytest", "-n0"]
    assert steps(["tests/cli/test_commands.py::test_the_steps_of_test", "-x"]) == [
        ["pytest", "tests/cli/test_commands.py::test_the_steps_of_test", "-x"]
    ]

"""The start script, on a small project with a `uv` that only notes that it was called: no network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xiaodai.settings import REPOSITORY

UV = """#!/bin/sh
echo "$@" >> "$XD_TEST_NOTES"
[ -z "$XD_TEST_FAILS" ] || exit 1
sleep 0.5
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
ln -sf "$XD_TEST_PYTHON" "$UV_PROJECT_ENVIRONMENT/bin/python"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    (folder / "xiaodai" / "cli").mkdir(parents=True)
    (folder / "xiaodai" / "cli" / "__main__.py").write_text("import sys; print('ran', *sys.argv[1:])")
    shutil.copy(REPOSITORY / "xd.py", folder)
    (folder / "uv.lock").write_text("version = 1")
    (folder / "pyproject.toml").write_text("[project]")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    return folder


def start(project: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    tools = {
        "PATH": f"{project.parent / 'tools'}:/usr/bin:/bin",
        "HOME": str(project.parent),
        "XD_TEST_NOTES": str(project.parent / "notes"),
        "XD_TEST_PYTHON": os.path.realpath(sys.executable),
    }
    return subprocess.Popen(
        [sys.executable, str(project / "xd.py"), *arguments],
        cwd="/",
        env=tools | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, complained = process.communicate(timeout=30)
    return process.returncode, said, complained


def calls(project: Path) -> list[str]:
    notes = project.parent / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


def test_the_first_run_prepares_and_later_ones_only_start(project: Path) -> None:
    code, said, complained = finish(start(project, "demo", "--once"))
    assert (code, said) == (0, "ran demo --once\n")
    assert "Preparing" in complained
    assert finish(start(project, "test", "-k", "x")) == (0, "ran test -k x\n", "")
    assert len(calls(project)) == 1
    assert "--frozen" in calls(project)[0]


def test_two_at_once_prepare_once(project: Path) -> None:
    both = [start(project, name) for name in ("one", "two")]
    assert [finish(process)[:2] for process in both] == [(0, "ran one\n"), (0, "ran two\n")]
    assert len(calls(project)) == 1


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_another_list_of_packages_prepares_again(project: Path, name: str) -> None:
    finish(start(project))
    (project / name).write_text("changed")
    assert finish(start(project))[0] == 0
    assert len(calls(project)) == 2


def test_a_failed_preparation_gets_one_sentence_and_is_tried_again(project: Path) -> None:
    code, said, complained = finish(start(project, XD_TEST_FAILS="yes"))
    assert (code, said) == (1, "")
    assert complained.splitlines()[-1].startswith("xd.py: Could not install what uv.lock names")
    assert finish(start(project))[0] == 0


def test_a_broken_environment_is_made_again(project: Path) -> None:
    finish(start(project))
    (project / ".venv" / "bin" / "python").unlink()
    assert finish(start(project, "again"))[:2] == (0, "ran again\n")


def test_an_environment_of_somebody_else_is_not_used(project: Path, tmp_path: Path) -> None:
    assert finish(start(project, VIRTUAL_ENV=str(tmp_path / "mine")))[0] == 0
    assert not (tmp_path / "mine").exists()
    assert (project / ".venv").is_dir()


def test_without_uv_and_pip_it_says_what_to_install(project: Path) -> None:
    (project.parent / "tools" / "uv").unlink()
    code, said, complained = finish(start(project, PATH="/nowhere", PYTHONPATH=str(_without_pip(project.parent))))
    assert (code, said) == (1, "")
    assert complained.splitlines()[-1].startswith("xd.py: pip is missing")
    assert "Traceback" not in complained


def _without_pip(folder: Path) -> Path:
    """A folder whose `pip` cannot be run, put before any other."""
    hidden = folder / "without pip"
    hidden.mkdir()
    (hidden / "pip.py").write_text("raise SystemExit(1)")
    return hidden

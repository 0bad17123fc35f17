#!/usr/bin/env python3
"""Start Xiaodai on a bare machine: python3 xd.py demo | test | serve | … (python3 xd.py --help lists all).

Standard library only. Prepares `.venv` from uv.lock on the first run, then hands over to `python -m xiaodai.cli`.
Later runs find the stamp of the last preparation and start at once, without a network.
"""

import fcntl
import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)


def main():
    if sys.version_info < OLDEST_PYTHON:
        stop(f"Xiaodai needs Python 3.11 or newer and {sys.executable} is older: run xd.py with a newer python3.")
    python = prepared_python()
    # Compiled files lie beside the interpreter, whoever owns the checkout and whatever the shell says: a start takes half as long.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(python).parents[1] / "compiled"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    os.execv(python, [str(python), "-m", "xiaodai.cli", *sys.argv[1:]])


def prepared_python():
    """The interpreter of an environment that holds exactly what uv.lock says."""
    private = Path(os.environ.get("XIAODAI_HOME") or Path.home() / ".xiaodai").absolute()
    for place in (ROOT, private):
        if is_ready(place):
            return python_of(place)
    place = ROOT if may_write(ROOT) else private
    tools = place / ".uv"
    try:
        tools.mkdir(parents=True, exist_ok=True)
        lock = (tools / "lock").open("w")
    except OSError as error:
        stop(f"Cannot prepare Xiaodai in {place} ({error.strerror}): set XIAODAI_HOME to a folder you may write.")
    with lock:  # two commands may arrive here at once: one works, the other waits and finds all done
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(place):
            prepare(place, tools)
    return python_of(place)


def prepare(place, tools):
    say(f"Preparing {place / '.venv'} (once)…")
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=str(place / ".venv"), UV_PYTHON_DOWNLOADS="never")
    environment.pop("VIRTUAL_ENV", None)  # somebody's own environment is none of our business
    trusted = ssl.get_default_verify_paths()
    if trusted.cafile or (trusted.capath and os.listdir(trusted.capath)):
        environment.setdefault("UV_SYSTEM_CERTS", "true")  # an office's proxy signs with a certificate known only here
    command = [find_uv(tools), "sync", "--frozen", "--no-install-project", "--python", sys.executable]
    if not sys.stderr.isatty():
        command.append("--quiet")  # on a terminal uv shows its bars
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        stop("Could not install what uv.lock names (see above): check the network and run the command again.")
    (place / ".venv" / "prepared-from").write_text(wanted())


def find_uv(tools):
    own = tools / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found:
        return found
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        stop("pip is missing: install it (Debian: apt-get install python3-pip) or put uv on the PATH, then run again.")
    # --target writes into our own folder only, so an externally managed Python (PEP 668) allows it.
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--upgrade"]
    if subprocess.run([sys.executable, *pip, "--target", str(tools), "uv"]).returncode:
        stop("Could not install uv (see above): check the network and run the command again.")
    return str(own)


def is_ready(place):
    stamp = place / ".venv" / "prepared-from"
    try:
        return stamp.read_text() == wanted() and os.access(python_of(place), os.X_OK)
    except OSError:
        return False


def may_write(place):
    venv = place / ".venv"
    return os.access(place, os.W_OK) and (not venv.exists() or os.access(venv, os.W_OK))


def python_of(place):
    return place / ".venv" / "bin" / "python"


def wanted():
    """Names the contents of an environment: another lock or another list of packages is another environment."""
    return hashlib.sha256((ROOT / "uv.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def say(sentence):
    print(sentence, file=sys.stderr, flush=True)


def stop(sentence):
    sys.exit("xd.py: " + sentence)


if __name__ == "__main__":
    main()

"""`python -m xiaodai.cli`: the same as the `xiaodai` command."""

from xiaodai.cli import main

main()

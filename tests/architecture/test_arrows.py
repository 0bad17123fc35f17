"""Arrows point one way (docs/tour.md): xiaodai → schema.root → resolvers → schema.<module>, resolvers → domain → ports."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT, Source, sources

FORBIDDEN = {
    "domain": (
        "schema",
        "resolvers",
        "xiaodai",
        "migrations",
        "strawberry",
        "graphql",
        "starlette",
        "httpx",
        "uvicorn",
    ),
    "tenancy": ("domain", "schema", "resolvers", "xiaodai", "gateways", "strawberry"),
    "schema": ("resolvers", "xiaodai", "tenancy", "gateways", "migrations", "sqlalchemy.orm"),
    "resolvers": ("xiaodai", "migrations", "gateways", "starlette"),
    "gateways": ("domain", "schema", "resolvers", "tenancy", "migrations"),
    "migrations": ("schema", "resolvers", "gateways"),
}
ALLOWED = {
    ("schema.root", "resolvers"),  # the root adds the pieces up
    ("migrations.draft", "domain"),
}
DOMAIN_MAY_NAME = ("tenancy.current", "tenancy.lender")  # the door's types


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def wrong_arrows(source: Source) -> Iterator[str]:
    for module in source.all_imports():
        for package in FORBIDDEN.get(source.package, ()):
            if module == "tenancy.lender" or module.startswith("tenancy.lender."):
                continue  # what a lender is, a plain value, may be named everywhere
            if under(module, package) and (source.name, package) not in ALLOWED:
                yield f"{source.name} → {module}"
        if source.package == "domain" and under(module, "tenancy") and not module.startswith(DOMAIN_MAY_NAME):
            yield f"{source.name} → {module}"
        if source.package == "domain" and under(module, "gateways") and ".port" not in module:
            yield f"{source.name} → {module} (only ports)"


def test_no_arrow_points_back() -> None:
    assert [arrow for source in sources() for arrow in wrong_arrows(source)] == []


def test_calculation_is_pure() -> None:
    impure = ("sqlalchemy", "asyncio", "domain.kernel", "tenancy", "datetime.datetime", "time", "random")
    wrong = [
        f"{source.name} → {module}"
        for source in sources()
        if under(source.name, "domain.calculation")
        for module in source.all_imports()
        for package in impure
        if under(module, package)
    ]
    assert wrong == []


def test_nothing_imports_the_root_but_the_program() -> None:
    wrong = [s.name for s in sources() if "schema.root" in s.all_imports() and s.package not in ("xiaodai",)]
    assert wrong == []


def test_no_cycles_between_files() -> None:
    names = {source.name for source in sources()}
    graph = {source.name: {m for m in source.imports() if m in names and m != source.name} for source in sources()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            pytest.fail("cycle: " + " → ".join((*path[path.index(name) :], name)))
        if name in done:
            return
        for following in sorted(graph[name]):
            walk(following, (*path, name))
        done.add(name)

    for name in sorted(graph):
        walk(name, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_top_level_packages_are_ours(package: str) -> None:
    """Names such as `schema` exist on package indexes too; the one that is imported must be this repository's."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    places = spec.submodule_search_locations or [spec.origin or ""]
    assert [Path(place).resolve() for place in places] == [ROOT / package]

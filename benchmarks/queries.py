"""查询测量 · How long lists take through the whole application, beside a bare route in the same run.

The bare route answers twenty loans as JSON made by one hand-written SQL in the same kind of transaction: what is left above
it is the price of GraphQL, permissions, scope, limits and masking.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import httpx
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.lender_of_size import PASSWORD, give_tasks, lend
from benchmarks.place import Place
from domain.kernel.context import Context
from xiaodai.app import create_app

TIMES = 40
TASKS_A_LOAN = 4

LISTS = {
    "typename": "{ __typename }",
    "loans": """{ loans(first: 20) { nodes { id number state kind principal annualRate method valueDate maturityDate
        principalOutstanding fiveClass } } }""",
    "dashboard": """{ loans(first: 20) { nodes { id number principalOutstanding customer { id name mobile }
        position { penalty compound } installments { seq dueDate principal interest state } } } }""",
    "tasks": "{ pendingTasks(first: 20) { totalCount nodes { id type title amount arrivedAt urgency } } }",
    "customers": "{ customers(first: 20) { totalCount nodes { id number name mobile } } }",
    "alerts": "{ alerts(first: 20) { nodes { id level state message } } }",
    "statistics": "{ statistics { loanCount outstanding overduePrincipal byClass { fiveClass outstanding } } }",
    "trial balance": "{ trialBalance { account name debit credit } }",
}
BARE = text(
    """
    select json_agg(found)::text from (
        select id, number, state, kind, principal, annual_rate, method, value_date, maturity_date, principal_outstanding,
               five_class from loans order by number desc, id desc limit 20
    ) found
    """
)


async def measure(place: Place, *, loans: int) -> list[dict[str, Any]]:
    """One row a list: the middle of its times in milliseconds, and that as a ratio to the bare route."""
    ctx = await place.lender("size")
    await lend(ctx, loans)
    await give_tasks(ctx, loans * TASKS_A_LOAN)
    await place.analyze(ctx)
    app = create_app(place.settings)

    async def bare(_request: Request) -> Response:
        async with ctx.reading() as inner:
            return Response((await inner.connection.execute(BARE)).scalar_one(), media_type="application/json")

    app.routes.append(Route("/bare", bare))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
            plain = await _middle(lambda: http.get("/bare"))
            rows = [{"list": "bare route", "milliseconds": round(plain, 2), "ratio": 1.0}]
            ask = await _signed_in(http, ctx)
            for name, document in LISTS.items():
                spent = await _middle(lambda document=document: ask(document))  # type: ignore[misc]
                rows.append({"list": name, "milliseconds": round(spent, 2), "ratio": round(spent / plain, 1)})
    return rows


async def _signed_in(http: httpx.AsyncClient, ctx: Context) -> Callable[[str], Awaitable[httpx.Response]]:
    """Asks as the director, who sees everything; an answer with errors is none."""
    wanted = {"tenant": ctx.lender.code, "username": "director", "password": PASSWORD}
    document = "mutation ($i: SignInInput!) { signIn(input: $i) { token } }"
    answer = await http.post("/graphql", json={"query": document, "variables": {"i": wanted}})
    headers = {"authorization": f"Bearer {answer.json()['data']['signIn']['token']}"}

    async def ask(document: str) -> httpx.Response:
        found = await http.post("/graphql", json={"query": document}, headers=headers)
        if found.status_code != 200 or "errors" in found.json():
            raise RuntimeError(found.text)
        return found

    return ask


async def _middle(once: Callable[[], Awaitable[httpx.Response]]) -> float:
    """The median in milliseconds, after a few that fill caches."""
    times = []
    for _ in range(TIMES + 5):
        begun = time.perf_counter()
        await once()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times[5:])

"""The smallest application that `serve` can run: ready, its process number, one slow answer, what it can see."""

import asyncio
import os
from typing import Any

OWNER = "XIAODAI_OWNER_DATABASE_URL"


def create_app() -> Any:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        if scope["path"] == "/slow":
            await asyncio.sleep(1)
        body = f"{os.getpid()} {'owner' if OWNER in os.environ else 'app'}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app

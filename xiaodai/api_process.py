"""One process that answers requests: uvicorn on the socket that `serve` opened. Started by the supervisor only."""

import argparse
import socket
import sys

import uvicorn

from xiaodai.observability import configure_logging
from xiaodai.settings import get_settings

APPLICATION = "xiaodai.app:create_app"
PROTOCOL = "xiaodai.protocol:GuardedHttpProtocol"


def command(listener: socket.socket, application: str = APPLICATION, protocol: str = PROTOCOL) -> list[str]:
    """How the supervisor starts this file."""
    return [sys.executable, "-m", __name__, str(listener.fileno()), application, protocol]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("socket", type=int)
    arguments.add_argument("application")
    arguments.add_argument("protocol")
    chosen = arguments.parse_args()
    settings = get_settings()
    configure_logging(settings.log_level)
    config = uvicorn.Config(
        chosen.application,
        factory=True,
        http=chosen.protocol,
        ws_max_size=settings.max_frame_bytes,
        server_header=False,
        proxy_headers=settings.public_url is not None,  # without a proxy, anybody could claim any address
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=6,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=chosen.socket)])


if __name__ == "__main__":
    main()

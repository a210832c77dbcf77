"""A port and walls in, the page on the loopback address out, until the user interrupts it."""

import signal
import socket
from collections.abc import Callable, Sequence
from types import FrameType

from crenel.errors import MissingExtraError, UsageError

ADDRESS = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the loopback address; port 0 takes any that is free.

    Raises:
        UsageError: the port is in use, or not for everybody.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        message = f"port {port} on {ADDRESS}: {error.strerror or error}; --port takes another, 0 any that is free"
        raise UsageError(message) from error
    return listener


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def serve(port: int, walls: Sequence[str], ready: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted.

    Args:
        port: on the loopback address; 0 takes any that is free.
        walls: wall files that are offered beside those that come with Crenel.
        ready: is told the address of the page, once it can be opened.

    Raises:
        CrenelError: the port cannot be had, a wall is wrong, or the extra that brings the server is not installed.
    """
    try:
        import uvicorn  # noqa: PLC0415  an extra brings it

        from crenel.web.routes import Site  # noqa: PLC0415  needs the same extra
    except ImportError as error:
        message = f"{error.name} is not installed, so the page cannot be served; the extra crenel[web] brings it"
        raise MissingExtraError(message) from error
    from crenel.web.asked import Asked  # noqa: PLC0415
    from crenel.web.controls import EXAMPLES  # noqa: PLC0415
    from crenel.web.gallery import Gallery  # noqa: PLC0415
    from crenel.web.guard import hosts_at  # noqa: PLC0415
    from crenel.web.shelf import Shelf  # noqa: PLC0415

    gallery = Gallery(walls)
    listener = listen(port)
    taken = listener.getsockname()[1]
    shelf = Shelf()
    try:
        site = Site(gallery, shelf)
        site.look(Asked(target=EXAMPLES[0][0]))  # whatever is compiled on first use is compiled before anybody waits for it
        ready(f"http://{ADDRESS}:{taken}/")
        config = uvicorn.Config(
            site.application(hosts_at(taken)), log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="off",
            ws="none", timeout_graceful_shutdown=2,
        )  # fmt: skip
        # The server raises again what it was ended by, once it is done: then the captures go, as at the end of any other program.
        signal.signal(signal.SIGTERM, _leave)
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        shelf.close()
        listener.close()

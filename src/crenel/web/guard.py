"""Requests in, refusals out of all that another site, another host or another machine could have sent; and headers that keep a page to itself."""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN = frozenset({"same-origin", "none"})
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""Nothing is loaded from, sent to or framed by anybody else, and no script or style stands in a page."""
_HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """Lets through what the page itself asks for.

    Args:
        app: what is guarded.
        hosts: the values of the Host header under which the page is served, with their port. A name that was made to point here is none
            of them, so a page of another site cannot read this one.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nobody listens for web sockets here
        sentence = self._fault(scope["method"], Headers(scope=scope))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if sentence is None:
            await self._app(scope, receive, answer)
        else:
            await PlainTextResponse(f"crenel: {sentence}\n", 403)(scope, receive, answer)

    def _fault(self, method: str, headers: Headers) -> str | None:
        """Return why a request is refused, or None."""
        hosts = [host.lower() for host in headers.getlist("host")]
        if len(hosts) != 1:
            return "the request names no host, or several"
        if hosts[0] not in self._hosts:
            return "this page is only served to the machine that it runs on, under its own address"
        if method in _SAFE_METHODS:
            return None
        origins = headers.getlist("origin")
        if any(origin.lower() != f"http://{hosts[0]}" for origin in origins):
            return "the request comes from another site"
        if any(site not in _OWN for site in headers.getlist("sec-fetch-site")):
            return "the request comes from another site"
        return None


def hosts_at(port: int) -> list[str]:
    """Return the values of the Host header under which the page is served on a port."""
    return [f"{name}:{port}" for name in LOCAL_NAMES] + (list(LOCAL_NAMES) if port == 80 else [])

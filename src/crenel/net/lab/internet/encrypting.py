"""A server name in, the TLS settings with its certificate out, issued when it is first asked for."""

import os
import ssl
from collections.abc import Callable, Sequence

Issue = Callable[..., str]
"""Returns a certificate and its key for names, as PEM."""


class Encrypting:
    """TLS for any name.

    Args:
        issue: where certificates come from.
        unnamed: whose certificate a client gets that names no server.
    """

    def __init__(self, issue: Issue, unnamed: Sequence[str]) -> None:
        self._issue = issue
        self._unnamed = tuple(unnamed)
        self._contexts: dict[tuple[str, tuple[str, ...]], ssl.SSLContext] = {}

    def context(self, protocols: tuple[str, ...], name: str = "") -> ssl.SSLContext:
        """Return the settings for a name, which change to those of the name that a client says; `protocols` as in ALPN."""
        key = name.lower(), protocols
        if key not in self._contexts:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.set_alpn_protocols(list(protocols))
            _load(made, self._issue(name) if name else self._issue(*self._unnamed))
            made.sni_callback = self._chooser(protocols)
            self._contexts[key] = made
        return self._contexts[key]

    def _chooser(self, protocols: tuple[str, ...]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self.context(protocols, name)

        return choose


def _load(context: ssl.SSLContext, pem: str) -> None:
    """Give a context its certificate, which Python takes from a file only: from one that has no name."""
    descriptor = os.memfd_create("crenel", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")

"""`crenel web`: a port and walls in, a page in the browser out."""

import contextlib

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8573, metavar="N", help="On 127.0.0.1; 0 takes any that is free.  [default: 8573]")
@click.option("--wall", "walls", multiple=True, metavar="NAME|FILE", help="Offer this wall too, and show it first; repeatable.")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.  [default: --open]")
def web(port: int, walls: tuple[str, ...], *, opens: bool) -> int:
    """Open a local page: type a URL, paste bytes or drop a capture, move the date, and see what the wall does.

    The page is served to this machine only, loads nothing from elsewhere and sends nothing anywhere. Ctrl-C ends it.
    """
    from crenel.cli.status import Status, say
    from crenel.web.serve import serve

    def ready(address: str) -> None:
        click.echo(f"{address}  (Ctrl-C ends it)")
        if opens and not _opened(address):
            say("no browser could be opened here; open the address above yourself")

    with contextlib.suppress(KeyboardInterrupt):
        serve(port, walls, ready)
    return Status.SAFE


def _opened(address: str) -> bool:
    """Open a page in a browser with a window; one in the terminal would take the terminal."""
    import os
    import sys
    import webbrowser

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False

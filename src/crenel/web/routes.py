"""Walls and a shelf for captures in, the application that answers a browser out."""

import shlex
from collections.abc import Iterable
from importlib.resources import files

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from crenel.errors import CrenelError
from crenel.net.trace import trace_capture
from crenel.report.svg import style
from crenel.web.answer import Answer, answer_to
from crenel.web.asked import Asked, link, read_asked
from crenel.web.controls import EXAMPLES
from crenel.web.elements import element
from crenel.web.events import chosen, timeline_form, timeline_list
from crenel.web.gallery import Gallery
from crenel.web.guard import Guard
from crenel.web.page import Shown, document, parts, whole_page
from crenel.web.saved import saved_report
from crenel.web.shelf import Shelf
from crenel.web.uploads import read_form

_STATIC = {"page.css": "text/css", "page.js": "text/javascript", "htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Site:
    """The page.

    Args:
        gallery: the walls that it offers.
        shelf: where captures are kept while it is open.
    """

    def __init__(self, gallery: Gallery, shelf: Shelf) -> None:
        self._gallery = gallery
        self._shelf = shelf

    def application(self, hosts: Iterable[str]) -> Guard:
        """Return the application, served under these values of the Host header."""
        routes = [
            Route("/", self.ask, methods=["GET", "POST"]),
            Route("/report", self.report, methods=["POST"]),
            Route("/packets", self.packets, methods=["POST"]),
            Route("/timeline", self.timeline),
            Route("/static/{name}", _static),
        ]
        return Guard(Starlette(routes=routes, exception_handlers={404: _refused, 405: _refused, 500: _bug}), hosts)

    async def ask(self, request: Request) -> Response:
        """Answer what is typed; without anything, an example."""
        if request.method != "POST":
            fields = dict(request.query_params)
            asked = read_asked(fields or {"target": EXAMPLES[0][0]})
            return HTMLResponse(whole_page(await run_in_threadpool(self.look, asked), self._gallery))
        asked, problem, brought = await self._typed(request)
        shown = await run_in_threadpool(self.look, asked, problem)
        where = link(asked)
        if request.headers.get("hx-request") == "true":
            headers = {"HX-Replace-Url": where} if where and not problem else {}
            return HTMLResponse(parts(shown, self._gallery, brought=brought), headers=headers)
        if where and not problem:
            return RedirectResponse(where, 303)
        return HTMLResponse(whole_page(shown, self._gallery))

    async def report(self, request: Request) -> Response:
        """Return the answer as a file; where there is none, the page that says why."""
        asked, problem, _ = await self._typed(request)
        shown = await run_in_threadpool(self.look, asked, problem)
        if not shown.answers:
            return HTMLResponse(whole_page(shown, self._gallery))
        text = await run_in_threadpool(saved_report, shown, _command(shown))
        return Response(text, media_type="text/html; charset=utf-8", headers=_as_file("crenel-answer.html"))

    async def packets(self, request: Request) -> Response:
        """Return the packets of a simulated exchange as a capture."""
        asked, problem, _ = await self._typed(request)
        shown = await run_in_threadpool(self.look, asked, problem)
        tried = shown.answers[0].tried if shown.answers else None
        if tried is None:
            return HTMLResponse(whole_page(shown, self._gallery))
        body = b"".join(trace_capture(tried.exchange.trace, tried.exchange.start))
        return Response(body, media_type="application/octet-stream", headers=_as_file("crenel-answer.pcapng"))

    async def timeline(self, request: Request) -> Response:
        """Return the events of a span, of some kinds."""
        given = request.query_params
        since, until, search = (given.get(name, "") for name in ("since", "until", "search"))
        kinds = given.getlist("kind")
        try:
            found = timeline_list(chosen(since, until, kinds, search))
        except CrenelError as error:
            found = element("p", f"{str(error)[:400]}.", class_="problem", role="alert")
        main = [timeline_form(since, until, kinds, search), found]
        return HTMLResponse(document("Timeline", main, "timeline"))

    def look(self, asked: Asked, problem: str = "") -> Shown:
        """Judge what is asked; whatever is wrong becomes a sentence, and what could be judged stays."""
        gallery = self._gallery
        asked = msgspec.structs.replace(asked, wall=asked.wall or gallery.names[0])
        sides = [(asked.wall, asked.date)]
        if asked.beside:
            sides.append((asked.wall2 or asked.wall, asked.date2))
        answers: list[Answer] = []
        days = []
        held = None
        try:
            days = [gallery.day(wall, date) for wall, date in sides]
            if asked.held:
                held = self._shelf.find(asked.held)
            if not asked.empty and not problem:
                for wall, date in sides:
                    answers.append(answer_to(asked, wall, date, gallery, self._shelf))
        except CrenelError as error:
            problem = problem or f"{str(error)[:600]}."
        return Shown(asked, tuple(answers), tuple(wall for wall, _ in sides), held, problem, tuple(days))

    async def _typed(self, request: Request) -> tuple[Asked, str, bool]:
        """Return what was typed, what is wrong with what was brought, and whether a capture was brought."""
        form, problem = await read_form(request)
        try:
            fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
            if fields.get("example"):
                fields |= {"target": fields["example"], "kind": "target"}
            if fields.get("pick"):
                fields["flow"] = fields["pick"]
            return await self._brought(read_asked(fields), form, problem)
        finally:
            await form.close()

    async def _brought(self, asked: Asked, form: FormData, problem: str) -> tuple[Asked, str, bool]:
        file = form.get("capture")
        if problem or not isinstance(file, UploadFile) or not file.filename:
            return asked, problem, False
        try:
            held = await run_in_threadpool(self._shelf.hold, file.filename, file.file)
        except CrenelError as error:
            return msgspec.structs.replace(asked, kind="capture"), f"{str(error)[:600]}.", False
        asked = msgspec.structs.replace(asked, held=held.token, kind="capture", flow="")
        shown = await run_in_threadpool(self.look, asked)
        if not shown.answers and shown.problem:
            # What is no capture is not kept.
            self._shelf.let_go(held.token)
            return msgspec.structs.replace(asked, held=""), shown.problem, False
        return asked, "", True


def _command(shown: Shown) -> str:
    """Return the command that gives the same answer."""
    asked, answer = shown.asked, shown.answers[0]
    days = [one.day.isoformat() for one in shown.answers]
    words = ["crenel", "check" if answer.capture is not None else "try"]
    if answer.capture is not None:
        words.append(answer.capture.held.name)
    elif asked.kind == "target":
        words.append(asked.target.strip())
    else:
        words += ["--hex", "".join(asked.hex.split()), "--port", asked.port, *(["--udp"] if asked.transport == "udp" else [])]
    words += ["--wall", asked.wall, "--as-of", days[0]]
    words += [word for day in days[1:] for word in ("--compare", day)] if answer.capture is None and len(set(shown.walls)) == 1 else []
    words += ["--listed", "*"] if asked.listed else []
    words += ["--seed", asked.seed] if asked.seed not in {"", "0"} else []
    return shlex.join(words)


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "ladder.css":
        return Response(style(), media_type="text/css")
    if name not in _STATIC:
        raise HTTPException(404)
    return Response((files("crenel.web") / "static" / name).read_bytes(), media_type=_STATIC[name])


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    words = "There is no such page here." if status == 404 else "That is not how this page is asked."
    return HTMLResponse(document("Not here", element("p", words, class_="problem"), ""), status)


async def _bug(request: Request, error: Exception) -> Response:
    words = "This is a bug in Crenel; please report it with the traceback that the terminal shows."
    return HTMLResponse(document("A bug", element("p", words, class_="problem"), ""), 500)

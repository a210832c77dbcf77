"""The body of a posted form in, its fields and at most one file out, of bounded size; what is too long is read past and named in a sentence."""

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from crenel.web.shelf import LARGEST_UPLOAD

LONGEST_FIELD = 1 << 18
"""Bytes of a text field."""
_MOST_FIELDS = 40
_MOST_READ = 1 << 30
"""Bytes of a request that are read at all: so far the page still tells what is wrong."""


class TooMuchError(Exception):
    """A request that is longer than anybody reads."""


class _Parser(MultiPartParser):
    """A parser that reads past what is too much of a file, so that the fields that come with it are kept."""

    taken = 0
    too_large = False

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a part."""
        if self._current_part.file is not None:
            self.taken += end - start
            if self.taken > LARGEST_UPLOAD:
                self.too_large = True
                return
        super().on_part_data(data, start, end)


async def read_form(request: Request) -> tuple[FormData, str]:
    """Return the fields of a posted form and what is wrong with it, in a sentence; empty where nothing is."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        try:
            length = int(request.headers.get("content-length", "0"))
        except ValueError:
            length = LONGEST_FIELD + 1
        if length <= 2 * LONGEST_FIELD:
            return await request.form(max_fields=_MOST_FIELDS), ""
        return FormData(), "what was sent is too long"
    if kind != "multipart/form-data":
        return FormData(), "what was sent is no form"
    parser = _Parser(request.headers, _bounded(request), max_files=1, max_fields=_MOST_FIELDS, max_part_size=LONGEST_FIELD)
    try:
        form = await parser.parse()
    except TooMuchError:
        return FormData(), f"the upload has more than {_MOST_READ >> 30} GB; this page takes {LARGEST_UPLOAD >> 20} MB"
    except MultiPartException as error:
        return FormData(), f"what was sent cannot be read: {error.message.rstrip('.')}"
    except ClientDisconnect:
        return FormData(), "the upload was broken off"
    if parser.too_large:
        return form, f"the file has more than {LARGEST_UPLOAD >> 20} MB, which is the most that this page takes; crenel check takes more"
    return form, ""


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > _MOST_READ:
            raise TooMuchError
        yield chunk

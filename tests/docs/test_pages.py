"""The examples of every page, run; what a page shows must be what is printed."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, Desk, agrees, blocks, columns, commands, ours, pages, shortened

PAGES = pages()


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def has_examples(path: Path) -> bool:
    return any(block.language in {"console", "python"} for block in blocks(path.read_text("utf-8")))


@pytest.mark.parametrize("path", [path for path in PAGES if has_examples(path)], ids=named)
def test_the_examples_of_a_page_do_what_it_shows(path: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, columns(path))
    for block in blocks(path.read_text("utf-8")):
        if desk.keep(block):
            continue
        if block.language == "console":
            run_console(desk, block, path)
        elif block.language == "python":
            desk.execute(block)


def run_console(desk: Desk, block: Block, path: Path) -> None:
    for one in commands(block):
        if not ours(one.command):
            assert not one.shown, f"{named(path)}:{one.line}: nobody checks what is shown below {one.command}"
            continue
        printed = desk.run(one.command)
        place = f"{named(path)}:{one.line}: $ {one.command}\n(python tests/docs/pages.py {named(path)} writes the new output into the page)\n"
        assert desk.status in {0, 1, 3} or one.shown, f"{place}status {desk.status}: {printed}"
        if one.shown:
            assert agrees(one.shown, printed), f"{place}printed:\n{printed}"


def test_every_fenced_block_says_what_it_is() -> None:
    assert [path for path in PAGES if "\n```\n\n```\n" in path.read_text("utf-8")] == []


def test_a_page_may_leave_lines_out_and_nothing_else() -> None:
    assert agrees("a\n…\nd\n", "a\nb\nc\nd\n")
    assert not agrees("a\n…\nd\n", "a\nd\n")
    assert not agrees("a\nd\n", "a\nb\nd\n")
    assert shortened("a\n…\nd\n", "1\n2\n3\n4\n") == "1\n…\n4\n"


def test_commands_are_told_from_what_they_print() -> None:
    block = Block("console", "$ crenel check x | \\\n> grep y\nz\n$ make run\n", 0, 1)
    assert [(one.command, one.shown) for one in commands(block)] == [("crenel check x | grep y", "z\n"), ("make run", "")]

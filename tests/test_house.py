"""The source in, every place that breaks a rule of the house out: what is claimed where, how long, under which name, at which price."""

import ast
import io
import itertools
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "crenel"
MODULES = sorted(SOURCE.rglob("*.py"))
OUTSIDE_ATLAS = [path for path in MODULES if "atlas" not in path.relative_to(SOURCE).parts]

LONGEST_MODULE = 400

UNTESTED: dict[str, str] = {}
"""Modules that need no test module of their own, each with the reason. Keep it tiny."""

PROTOCOL_WORDS = {"dns-tcp", "esni", "ftp", "smtp"}
"""Box ids which are also the names of protocols: as such they may stand in code, but not beside anything called a box."""

COUNTRIES = (
    "Afghanistan|Algeria|America|Australia|Austria|Azerbaijan|Bahrain|Bangladesh|Belarus|Belgium|Brazil|Britain|Burma|Cambodia|Canada|China|Cuba|"
    "Denmark|Egypt|England|Eritrea|Ethiopia|Europe|Finland|France|Germany|Greece|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy|Japan|Jordan|"
    "Kazakhstan|Kenya|Korea|Kuwait|Kyrgyzstan|Laos|Lebanon|Libya|Malaysia|Mexico|Morocco|Myanmar|Nepal|Netherlands|Nigeria|Norway|Oman|Pakistan|"
    "Philippines|Poland|Portugal|Qatar|Russia|Rwanda|Saudi|Singapore|Spain|Sudan|Sweden|Switzerland|Syria|Taiwan|Tajikistan|Tanzania|Thailand|"
    "Tunisia|Turkey|Turkmenistan|Uganda|Ukraine|Uzbekistan|Venezuela|Vietnam|Yemen|Zambia|Zimbabwe|American|Belarusian|British|Burmese|Chinese|"
    "Cuban|Egyptian|European|French|German|Indian|Indonesian|Iranian|Iraqi|Israeli|Japanese|Kazakh|Korean|Pakistani|Russian|Syrian|Taiwanese|Thai|"
    "Turkish|Turkmen|Ukrainian|Uzbek|Vietnamese|PRC|UAE|USA"
)

COUNTRY = re.compile(rf"\b(?:{COUNTRIES}|Hong[ _]Kong|Asia/\w+|Europe/\w+)\b")
WALL_NAME = re.compile(r"(?<![a-z])gfw(?![a-z])|great[ _-]firewall", re.IGNORECASE)
DATE = re.compile(r"(?<![\w-])(?!1970-01-01)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?(?![\w-])")
DATE_CALL = re.compile(r"\b(?:date|datetime)\(\s*(?:year\s*=\s*)?(?:199|20\d)\d\b")

MACHINE_PATHS = re.compile(rb"(?<![\w.~*-])/(?:work|farm|root|opt/pypi|opt/wheels|home/\w+|Users/\w+)/|(?<![\w.])/tmp/\w")
REGISTRIES = re.compile(rb"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org|crates\.io|proxy\.golang\.org")


def box_ids() -> list[str]:
    """Return the ids of all middleboxes of the walls that come with Crenel."""
    walls = sorted((SOURCE / "atlas" / "walls").glob("*.toml"))
    return sorted({box["id"] for wall in walls for box in tomllib.loads(wall.read_text("utf-8")).get("middlebox", ())})


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{named(path)}:{number}: {match[0]}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for match in pattern.finditer(line)
    ]


# What a wall does is data.


def test_no_code_names_a_middlebox() -> None:
    ids = [box for box in box_ids() if box not in PROTOCOL_WORDS]
    if not ids:
        pytest.skip("no wall yet")
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ids))})(?![\w-])")
    assert not lines_matching(pattern, OUTSIDE_ATLAS)


def test_no_code_compares_a_box_with_the_name_of_a_protocol() -> None:
    found = [f"{named(path)}:{place}" for path in OUTSIDE_ATLAS for place in boxes_called(path.read_text("utf-8"), PROTOCOL_WORDS)]
    assert not found


def boxes_called(source: str, words: set[str]) -> list[str]:
    """Return line and word wherever one of the words is compared with, looked up in or given to something that is called a box."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
            case ast.Subscript(value=value, slice=index):
                sides = [value, index]
            case ast.Assign(targets=targets, value=value):
                sides = [*targets, value]
            case ast.keyword(arg=str(name), value=value):
                sides = [ast.Name(name), value]
            case ast.Match(subject=subject, cases=cases):
                sides = [subject, *(part for case in cases for part in ast.walk(case.pattern) if isinstance(part, ast.Constant))]
            case _:
                continue
        if any(is_a_box(side) for side in sides):
            line = getattr(node, "lineno", 0)
            found += [f"{line}: {word}" for side in sides for word in sorted(literals(side) & words)]
    return found


def is_a_box(side: ast.AST) -> bool:
    """Say whether an expression is called a box: `middlebox`, `flow.box`, `box.id`; but not `box.protocol`."""
    match side:
        case ast.Attribute(value=value, attr="id" | "name"):
            return is_a_box(value)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return "box" in name.lower()
        case _:
            return False


def literals(side: ast.AST) -> set[str]:
    """Return the text that an expression is, or that stands in it where it is a list, a set, a tuple or the keys of a dict."""
    match side:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.List(elts=parts) | ast.Set(elts=parts) | ast.Tuple(elts=parts):
            return set().union(*map(literals, parts))
        case ast.Dict(keys=keys):
            return set().union(*(literals(key) for key in keys if key is not None))
        case _:
            return set()


def test_no_code_names_the_wall() -> None:
    assert not lines_matching(WALL_NAME, OUTSIDE_ATLAS)


def test_no_code_names_a_country() -> None:
    assert not lines_matching(COUNTRY, OUTSIDE_ATLAS)


def test_no_code_holds_a_date() -> None:
    assert not lines_matching(DATE, OUTSIDE_ATLAS) + lines_matching(DATE_CALL, OUTSIDE_ATLAS)


# How a module looks.


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_begins_with_what_it_is_for(path: Path) -> None:
    purpose = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert purpose, f"{named(path)} has no docstring"
    assert purpose.splitlines()[0].strip().endswith("."), f"the first line of {named(path)} is no sentence"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=named)
def test_a_test_module_begins_with_what_it_is_for(path: Path) -> None:
    source = path.read_text("utf-8")
    assert not source.strip() or ast.get_docstring(ast.parse(source)), f"{named(path)} has no docstring"


def test_no_module_is_too_long() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_only_the_terminal_and_the_reports_print() -> None:
    inner = [path for path in MODULES if path.relative_to(SOURCE).parts[0] not in {"cli", "cli.py", "report", "report.py"}]
    assert not [f"{named(path)}:{line}" for path in inner for line in prints(path.read_text("utf-8"))]


def prints(source: str) -> list[int]:
    """Return the lines that call `print`; comments and text that speak of it do not count."""
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type in {tokenize.NAME, tokenize.OP}]
    pairs = itertools.pairwise(tokens)
    return [token.start[0] for token, after in pairs if token.string == "print" and after.string == "("]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [named(path) for path in MODULES if path.stem in {"base", "common", "helper", "helpers", "manager", "misc", "tools", "util", "utils"}]


def test_tests_mirror_the_source() -> None:
    """Each module with a function has tests/PACKAGE/test_MODULE.py, test_MODULE_*.py or test_MODULE/; a package's own code test_PACKAGE.py."""
    untested = [path for path in MODULES if has_functions(path) and not mirror_of(path)]
    assert not [named(path) for path in untested if path.relative_to(SOURCE).as_posix() not in UNTESTED]


def has_functions(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text("utf-8"))))


def mirror_of(path: Path) -> list[Path]:
    inside = path.relative_to(SOURCE)
    if inside.stem in {"__init__", "__main__"}:
        inside = inside.parent / (inside.parent.name or "crenel")
        folders = {ROOT / "tests" / inside, ROOT / "tests" / inside.parent}
    else:
        folders = {ROOT / "tests" / inside.parent}
    stem = f"test_{inside.stem}"
    return [found for folder in folders for pattern in (f"{stem}.py", f"{stem}_*.py", f"{stem}/test_*.py") for found in folder.glob(pattern)]


def test_every_exception_from_the_mirror_is_still_needed() -> None:
    assert not [name for name in UNTESTED if not (SOURCE / name).exists() or mirror_of(SOURCE / name)]


# What goes into the repository.


def tracked() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield name, (ROOT / name).read_bytes()


def test_no_file_holds_a_path_of_somebodys_machine_or_the_host_of_a_registry() -> None:
    found = [
        f"{name}: {match[0].decode()}"
        for name, content in tracked()
        if name != named(Path(__file__))
        for pattern in (MACHINE_PATHS, REGISTRIES)
        for match in pattern.finditer(content)
    ]
    assert not found


def test_the_same_version_stands_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## {version} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


# What it needs and costs. Each of these needs an interpreter of its own.

IMPORT_ALL = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {"crypt", "fcntl", "grp", "nis", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules.pop(name, None)
import crenel
for module in pkgutil.walk_packages(crenel.__path__, "crenel."):
    if not module.name.endswith("__main__") and not module.name.startswith("crenel.net.lab."):
        importlib.import_module(module.name)
        print(module.name)
wall = crenel.load_wall(as_of="2025-01-15")
print("OUTCOME", crenel.try_url("https://blocked.example/", wall).outcome)
from crenel.cli import main
sys.argv = ["crenel", "try", "https://blocked.example/", "--as-of", "2025-01-15"]
try:
    main()
except SystemExit as stop:
    print("STATUS", stop.code)
"""

HELP = """
import sys
from crenel.cli import main
sys.argv = ["crenel", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("HEAVY", *sorted({"ahocorasick_rs", "asyncio", "cryptography", "multiprocessing", "rich", "scapy"} & set(sys.modules)))
"""


def python(script: str) -> list[str]:
    """Run a script in a fresh interpreter and return the lines that it printed."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_everything_imports_and_runs_where_posix_is_absent() -> None:
    """All but the lab, which needs Linux."""
    said = python(IMPORT_ALL)
    assert "crenel.errors" in said
    assert "OUTCOME blocked" in said
    assert said[-1] == "STATUS 1"


def test_help_loads_nothing_heavy() -> None:
    *text, heavy = python(HELP)
    assert "check" in "\n".join(text)
    assert heavy.strip() == "HEAVY"


# The rules can fail.


@pytest.mark.parametrize(
    "source",
    [
        "if flow.box == 'smtp': pass",
        "box.id in ('fet', 'ftp')",
        "boxes['ftp']",
        "Because(box='esni')",
        "match event.middlebox:\n case 'dns-tcp': pass",
        "BOXES = {'smtp': 1}",
    ],
)
def test_a_box_called_by_its_name_is_seen(source: str) -> None:
    assert boxes_called(source, PROTOCOL_WORDS)


@pytest.mark.parametrize("source", ["protocol == 'smtp'", "box.protocol == 'smtp'", "readers['ftp']", "flow = Flow(protocol='esni', box=box)"])
def test_a_protocol_is_no_box(source: str) -> None:
    assert not boxes_called(source, PROTOCOL_WORDS)


@pytest.mark.parametrize(
    ("pattern", "seen", "unseen"),
    [
        (WALL_NAME, ["load_wall('gfw')", "the GFW's", "GFW_LIST", "the Great Firewall"], ["bigfwd", "a firewall"]),
        (COUNTRY, ["in China", "Iran's", "ZoneInfo('Asia/Tokyo')"], ["machina", "turkey", "chinaware"]),
        (DATE, ["'2024-04-07'", "since 2021-11", "(2019-01-15T12:00"[:11]], ["1970-01-01", "12024-04-07", "RFC 2024-1", "0x2024-01"]),
        (DATE_CALL, ["date(2024, 4, 7)", "datetime(year=2021"], ["date(1970, 1, 1)", "update(2024)"]),
    ],
)
def test_a_claim_in_code_is_seen(pattern: re.Pattern[str], seen: list[str], unseen: list[str]) -> None:
    assert all(pattern.search(text) for text in seen)
    assert not [text for text in unseen if pattern.search(text)]


def test_a_path_of_a_machine_is_seen() -> None:
    assert MACHINE_PATHS.search(b"open('/root/x')")
    assert not MACHINE_PATHS.search(b"GET https://blocked.example/work/ and ./tmp/x and src/root/")

"""The tree of imports in, the modules that reach for what their layer must not have out."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

SOURCE = Path(__file__).parents[1] / "src" / "crenel"

PURE = ("wire", "flow", "wall", "net.path", "net.host", "net.app", "net.sim", "evade")
"""What takes time, chance and bytes as arguments. A part that does not exist yet is passed over."""

IMPURE = {
    "sockets": ("http", "select", "selectors", "smtplib", "socket", "socketserver", "ssl", "urllib"),
    "concurrency": ("_thread", "asyncio", "concurrent", "multiprocessing", "queue", "sched", "signal", "subprocess", "threading"),
    "a clock": ("time",),
    "a source of chance": ("random", "secrets", "uuid"),
    "logging": ("logging",),
    "files": ("bz2", "fileinput", "glob", "gzip", "importlib", "io", "lzma", "mmap", "os", "pathlib", "pkgutil", "shutil", "sqlite3"),
    "archives": ("tarfile", "tempfile", "zipfile"),
}

HARMLESS = {("crenel.wire.buffer", "mmap")}
"""Imports that only name a type: a decoder is handed what its carrier mapped, and maps nothing itself."""

OUTERMOST = {"__main__", "bench", "cli", "web", "pytest_plugin"}
"""Who may use the package as its users do, `import crenel`: from below that would be a way round every layer."""

LAB = "crenel.net.lab.internet"
"""Where certificates are made: in a process of its own, which nothing else imports."""

CLOCKS = {"now", "today", "utcnow"}


def chains_to_impurity(graph: grimp.ImportGraph, package: str, pure: tuple[str, ...]) -> list[str]:
    """Return each shortest chain of imports from a pure part, with all that is inside it, to a module that it must not reach."""
    found = []
    for part in pure:
        if f"{package}.{part}" not in graph.modules:
            continue
        for what, names in IMPURE.items():
            for name in names:
                if name in graph.modules:
                    chains = graph.find_shortest_chains(f"{package}.{part}", name, as_packages=True)
                    found += [f"{what}: {' -> '.join(chain)}" for chain in sorted(chains)]
    return found


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("crenel", include_external_packages=True, cache_dir=None)
    for importer, imported_module in HARMLESS:
        if {importer, imported_module} <= graph.modules:
            graph.remove_import(importer=importer, imported=imported_module)
    for path in SOURCE.rglob("*.py"):
        module = ".".join(("crenel", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        if "urllib" in graph.modules and graph.direct_import_exists(importer=module, imported="urllib") and takes_urls_apart_only(path):
            graph.remove_import(importer=module, imported="urllib")
    return graph


def takes_urls_apart_only(path: Path) -> bool:
    """Say whether all that a module has of urllib is `urllib.parse`, which opens nothing."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name for name in names if name.split(".")[0] == "urllib"} == {"urllib.parse"}


def test_pure_layers_reach_no_socket_thread_clock_chance_log_or_file(graph: grimp.ImportGraph) -> None:
    assert not chains_to_impurity(graph, "crenel", PURE)


def test_nothing_below_the_outermost_layer_imports_the_whole_package(graph: grimp.ImportGraph) -> None:
    importers = {module.split(".")[1] for module in graph.find_modules_that_directly_import("crenel")}
    assert importers <= OUTERMOST


def test_evade_never_reaches_the_lab(graph: grimp.ImportGraph) -> None:
    if {"crenel.evade", "crenel.net.lab"} <= graph.modules:
        assert not graph.find_shortest_chains("crenel.evade", "crenel.net.lab", as_packages=True)


def test_cryptography_is_imported_only_by_quic_when_used_and_by_the_lab(graph: grimp.ImportGraph) -> None:
    if "cryptography" not in graph.modules:
        return
    importers = {module for module in graph.find_modules_that_directly_import("cryptography") if module.split(".")[1] not in OUTERMOST}
    assert all(module.startswith(("crenel.wire.quic", LAB)) for module in importers)
    inner = [(path, node) for path, node in statements_at_import() if path.relative_to(SOURCE).parts[0] not in OUTERMOST]
    inner = [(path, node) for path, node in inner if not ".".join(("crenel", *path.relative_to(SOURCE).parts)).startswith(LAB)]
    assert not [f"{path.relative_to(SOURCE)}:{node.lineno}" for path, node in inner if "cryptography" in imported(node)]


def statements_at_import() -> Iterator[tuple[Path, ast.stmt]]:
    """Yield the statements of every module that run when it is imported (one level of `if` and `try` included)."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            yield path, node
            if isinstance(node, ast.If | ast.Try):
                yield from ((path, child) for child in node.body)


def imported(node: ast.stmt) -> set[str]:
    """Return the top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def test_pure_layers_open_nothing_and_ask_no_clock() -> None:
    found = []
    for part in PURE:
        place = SOURCE.joinpath(*part.split("."))
        for path in [place.with_suffix(".py"), *place.rglob("*.py")]:
            if path.exists():
                found += [f"{path.relative_to(SOURCE)}:{line}" for line in opens_or_asks(path.read_text("utf-8"))]
    assert not found


def opens_or_asks(source: str) -> list[int]:
    """Return the lines that call `open`, `input` or `mmap`, or a class method that reads the clock, such as `datetime.now`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id in {"open", "input", "mmap", "__import__"})
        or (isinstance(call.func, ast.Attribute) and call.func.attr in CLOCKS)
    ]


def test_the_check_sees_an_indirect_import(tmp_path: Path) -> None:
    package = tmp_path / "invented"
    (package / "wire").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "wire" / "__init__.py").touch()
    (package / "wire" / "dns.py").write_text("from invented import coins\n")
    (package / "coins.py").write_text("def toss():\n    import random\n    return random.random()\n")
    script = f"""
import sys
sys.path[:0] = [{str(tmp_path)!r}, {str(SOURCE.parents[1])!r}]
import grimp
from tests.test_layers import chains_to_impurity
graph = grimp.build_graph("invented", include_external_packages=True, cache_dir=None)
print(chains_to_impurity(graph, "invented", ("wire", "flow")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "invented.wire.dns -> invented.coins -> random" in done.stdout


def test_the_check_sees_a_clock_and_an_open_file() -> None:
    assert opens_or_asks("import datetime\ndatetime.datetime.now(None)\nopen('x')\nself.now\n") == [2, 3]

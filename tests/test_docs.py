"""The documentation in, a finished site out: no warning, no dead reference, no page left out."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    options = ["-W", "-n", "-q", "--keep-going", "-b", "html", "-d", str(tmp_path / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert not done.returncode, done.stderr
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts}
    assert pages <= {path.relative_to(tmp_path / "html") for path in (tmp_path / "html").rglob("*.html")}

"""What Sphinx needs to make a site of these pages: Markdown by MyST, the furo theme, every reference checked."""

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]

project = "Crenel"
author = "The Crenel developers"
copyright = author
release = version = _project["version"]

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = f"Crenel {release}"
html_copy_source = False
html_show_sphinx = False

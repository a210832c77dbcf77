"""The public names of the package in, where they live out; asking for the package itself loads none of them."""

import subprocess
import sys

import pytest

import crenel


@pytest.mark.parametrize("name", crenel.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert callable(getattr(crenel, name)) or name == "evade"


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = crenel.nothing


def test_importing_the_package_loads_nothing_of_it() -> None:
    program = "import sys, crenel; print(sorted(name for name in sys.modules if name.startswith('crenel.')))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"

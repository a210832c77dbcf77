"""One tree of exceptions, so that one `except` at the edge catches everything a user can do wrong and nothing else."""

import inspect

import pytest

from crenel import errors

TREE = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def test_the_tree_is_complete() -> None:
    names = {"CrenelError", "UsageError", "CaptureError", "ProfileError", "StrategyError", "LabError", "MissingExtraError"}
    assert names <= {error.__name__ for error in TREE}


@pytest.mark.parametrize("error", TREE)
def test_every_error_has_the_one_root_and_says_whose_fault_it_is(error: type[Exception]) -> None:
    assert issubclass(error, errors.CrenelError)
    assert error.__doc__


@pytest.mark.parametrize("error", [error for error in TREE if error is not errors.CrenelError])
def test_the_message_comes_out_as_it_went_in(error: type[Exception]) -> None:
    with pytest.raises(errors.CrenelError, match=r"^x\.pcap: packet 3 at byte 120 ends early$"):
        raise error("x.pcap: packet 3 at byte 120 ends early")


@pytest.mark.parametrize("foreign", [ValueError, OSError, KeyError, AssertionError, RuntimeError])
def test_a_bug_is_not_taken_for_a_mistake_of_the_user(foreign: type[Exception]) -> None:
    assert not issubclass(foreign, errors.CrenelError)
    assert not any(issubclass(error, foreign) for error in TREE)


def test_no_error_hides_another_of_the_tree() -> None:
    leaves = [error for error in TREE if error is not errors.CrenelError]
    assert all(error.__mro__[1] is errors.CrenelError for error in leaves)

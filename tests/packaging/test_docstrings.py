"""Every public function says what goes in, what comes out and what can go wrong."""

from tests.packaging.docstrings import complaints, complaints_of_source
from tests.packaging.wheel import CHECKOUT, PARTS

GOOD = '''
__all__ = ["add"]

def add(a: Floats, b: Floats, twice: bool = False) -> Floats:
    """Add two arrays.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        Counts.
    twice : bool
        Add `b` again.

    Raises
    ------
    InputError
        If the lengths differ.
    """
    raise InputError("no")

def not_listed(a: Floats) -> Floats: ...
'''


def test_every_public_function_is_described():
    assert complaints([CHECKOUT / part for part in PARTS]) == []


def test_a_whole_docstring_passes():
    assert complaints_of_source(GOOD) == []


def test_what_is_left_out_is_noticed():
    """Negative control: each part taken away is one complaint of its own."""

    def what(old: str, new: str) -> list[str]:
        assert old in GOOD
        return [line.partition(": ")[2] for line in complaints_of_source(GOOD.replace(old, new))]

    assert what("twice : bool", "more : bool") == ["argument `twice` is not named"]
    assert what(", shape (n,)", "") == ["an array and no shape"]
    raises = "Raises\n    ------\n    InputError\n"
    assert what(raises, "") == ["InputError is raised and not named"]
    assert what("Parameters\n    ----------", "Takes") == [
        "three or more arguments and no section Parameters"
    ]
    assert complaints_of_source("def add(): ...") == ["1 add: no docstring"]
    assert complaints_of_source("def _add(): ...") == []

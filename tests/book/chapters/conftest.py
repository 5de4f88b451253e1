"""What the tests of several pages share."""

from types import SimpleNamespace

import pytest

from tokenecon_book.build import notebooks


@pytest.fixture(scope="session")
def declared():
    """The default parameters of a case's notebook, by its name."""
    return lambda name: notebooks.defaults(f"cases/{name}")


@pytest.fixture(scope="session")
def case(declared):
    """A case page's parameters, with some of them changed."""
    return lambda name, **change: SimpleNamespace(**(declared(name) | change))

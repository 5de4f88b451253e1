"""Charts and ledger in a browser: drawn near the screen, in both themes, at phone width, and without script."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

from tests_charts_page import write_page

STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
pytestmark = pytest.mark.browser

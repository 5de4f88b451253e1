"""Prices, dated; and as a function, ``tokenecon.prices(gpu, as_of=…)``: offers of GPU-hours as they were known on a day.

One row an offer, with marks where to distrust one: ``provider``, ``kind`` (on demand, committed, bought …), ``value`` in the
``unit`` of its row, ``as_of``, ``last_seen``, ``marks``.

Parameters
----------
gpu : str, optional
    Id of an accelerator, as ``tokenecon.gpus()`` has them; all if not given.
as_of : str or date, optional
    The day, such as ``2025-12-08``; the newest date in the book if not given.

Returns
-------
Finding
    ``to_frame()`` is the DataFrame; ``sources``, ``cited`` and ``version`` say where it is from.

Raises
------
BadInput
    The accelerator is not known, or ``as_of`` is no date.

Examples
--------
>>> import tokenecon
>>> bool((tokenecon.prices("h100-sxm-80gb", as_of="2025-12-08")["as_of"] <= "2025-12-08").all())
True
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime

    from tokenecon.finding import Finding


class _Prices(ModuleType):
    """The package, which is also the function of its name: who imports a module of it must not lose the function."""

    def __call__(self, gpu: str | None = None, *, as_of: "str | datetime.date | None" = None) -> "Finding":
        """Offers of GPU-hours as they were known on a day; see the docstring of the package."""
        found: Finding = import_module("tokenecon.api.tables").prices(gpu, as_of)
        return found


sys.modules[__name__].__class__ = _Prices

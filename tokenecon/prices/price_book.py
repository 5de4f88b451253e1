"""The price book: what a GPU and what a token cost as of a date, and which prices to distrust.

Every look-up is as of a date, by default the newest in the book.  Marks tell a reader which prices to distrust: ``old``, not
seen for more than :data:`OLD_DAYS` days, ``outside``, beyond the range of its peers (see :func:`fences`), and ``estimate``,
nobody's offer.
A mark changes no result: it is shown.
"""

import datetime

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice, UnknownId
from tokenecon.formulas import money
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered

OLD_DAYS = gpu_prices.OLD_DAYS
PEERS = 4  # fewer sellers have no range: the quartiles of three are the three
WHISKER = 1.5  # Tukey (1977): of a normal sample 0.7% lie beyond
CLOSE = 1.5  # so near to the middle half of the peers is never outside, however much they agree
TAILS = (0.1, 0.9)  # low and high of a token price: the middle 80% of the sellers
MONEY = {"input": "usd_per_mtok_in", "output": "usd_per_mtok_out", "cached": "usd_per_mtok_cached"}


def newest_date():
    """The newest date in the book, of GPUs or of tokens: the default of every look-up here."""
    return max(gpu_prices.newest_price_date(), data.extreme("api_prices", "last_seen"))


def _days(dates):
    """Dates as whole days, to reckon with."""
    return pd.to_datetime(pd.Series(dates)).to_numpy("datetime64[D]").astype(int)


def day(as_of):
    """A day as ISO text, the newest date in the book where none is given; :class:`BadInput` for what is no date."""
    if as_of is None:
        return newest_date()
    try:
        return datetime.date.fromisoformat(str(as_of)[:10]).isoformat()
    except ValueError:
        raise BadInput(f"as_of '{as_of}' is not a date; write it as YYYY-MM-DD, e.g. 2025-12-08") from None


def fences(peers):
    """Range of the peers of a price: (low, high), or NaN where there are fewer than four.

    Tukey's fences on the logarithm: 1.5 times the distance of the quartiles beyond them, and at least a factor of 1.5.
    On the logarithm, because prices differ by factors.  By quartiles, because minimum and maximum would call the
    cheapest and the dearest seller outside on every market, while mean and deviation are moved by the very price in
    doubt.  At least a factor of 1.5, because where most ask the same the quartiles coincide and any cent would be
    outside.
    """
    if len(peers) < PEERS:
        return np.nan, np.nan
    lower, upper = np.quantile(np.log(np.asarray(peers, dtype=float)), (0.25, 0.75))
    reach = max(WHISKER * (upper - lower), np.log(CLOSE))
    return float(np.exp(lower - reach)), float(np.exp(upper + reach))


def _against_peers(frame, value):
    """Columns ``peers``, ``peer_low``, ``peer_high`` of prices of one kind: each against the other sellers of its time.

    A seller counts once, with the median of what it asked within :data:`OLD_DAYS` days of the price in question, so
    that a price of 2023 is held against the market of 2023.
    """
    first, last = _days(frame["as_of"]), _days(frame["last_seen"])
    sellers, asked = frame["provider"].to_numpy(), frame[value].to_numpy(float)
    windows, found = {}, {}
    keys = list(zip(sellers, first, last, strict=True))
    for seller, begin, end in dict.fromkeys(keys):
        if (begin, end) not in windows:
            seen = (first <= end + OLD_DAYS) & (last >= begin - OLD_DAYS) & ~np.isnan(asked)
            windows[begin, end] = pd.Series(asked[seen]).groupby(sellers[seen]).median()
        medians = windows[begin, end].drop(seller, errors="ignore")
        found[seller, begin, end] = (len(medians), *fences(medians))
    return pd.DataFrame([found[key] for key in keys], columns=["peers", "peer_low", "peer_high"], index=frame.index)


def _words(frame):
    return [", ".join(word for word in ("old", "outside", "estimate") if row.get(word)) for row in frame.to_dict("records")]


def marks(frame, as_of=None):
    """Rows of ``prices`` with their marks, compared among themselves.

    Adds ``age_days``, ``old``, ``peers`` (other sellers of the same GPU and kind), ``peer_low`` and ``peer_high``
    [the row's unit], ``outside``, ``estimate``, and ``marks`` in words.
    """
    date = day(as_of)
    frame = frame.copy()
    frame["age_days"] = np.maximum(_days([date])[0] - _days(frame["last_seen"]), 0)
    frame["old"] = frame["age_days"] > OLD_DAYS
    frame["estimate"] = gpu_prices.estimated(frame)
    parts = [_against_peers(part, "value") for _, part in frame[~frame["estimate"]].groupby(["gpu", "kind"])]
    empty = pd.DataFrame(columns=["peers", "peer_low", "peer_high"], dtype=float)
    frame = frame.join(pd.concat(parts) if parts else empty)
    frame["outside"] = (frame["value"] < frame["peer_low"]) | (frame["value"] > frame["peer_high"])
    frame["marks"] = _words(frame)
    return frame


def gpu_offers(gpu=None, kind=None, as_of=None):
    """Offers of a GPU as of a date, one row each, with the marks of :func:`marks`."""
    date = day(as_of)
    return _gpu_offers(gpu, kind, date).copy()


@remembered
def _gpu_offers(gpu, kind, date):
    return marks(gpu_prices.prices(gpu, kind, date), date)


def token_models():
    """Names of all models with a token price."""
    return sorted(data.rows("api_prices", {}, want="model")["model"])


def _model(model):
    """A model's name in the table of token prices, by its id or an alias."""
    if _sold(model):
        return model
    try:
        named = data.model(model)["id"]
    except UnknownId:
        raise UnknownId("model", model, token_models(), "`tokenecon list token-prices`") from None
    if not _sold(named):
        raise NoPrice(f"no seller in the price lists offers {named} by the token; add a row to {data.file('api_prices')}")
    return named


def _sold(model):
    return len(data.rows("api_prices", {"model": model}, want="model")) > 0


def _in_force(date, model=None):
    """The offers of each list's newest vintage up to a date, of one model where it is named.

    Before its first vintage a list is asked what it says of the past: the prices that it dates itself.
    """
    vintages = data.rows("api_prices", {"as_of<=": date}, want="source last_seen")
    chosen = {}
    for source, days in vintages.groupby("source")["last_seen"]:
        seen = days[days <= date]
        chosen[source] = seen.max() if len(seen) else days.min()
    frame = data.rows("api_prices", {"as_of<=": date} | ({} if model is None else {"model": model}), want="*")
    frame = frame[frame["last_seen"] == frame["source"].map(chosen)].sort_values("source", kind="stable")
    return data.cite("api_prices", frame[frame["as_of"] == frame.groupby(["source", "seller_model"])["as_of"].transform("max")])


def token_prices(model=None, as_of=None, *, retired=False):
    """Token prices as of a date, one row an offer of a seller in a list.

    Columns of ``data/api_prices.csv`` and ``age_days``, ``old``, ``outside`` (input or output beyond the fences of the
    other sellers of the model), ``marks``.  What a list has as ``retired`` is left out unless asked for.
    """
    return _token_prices(None if model is None else _model(model), day(as_of), retired).copy()


@remembered
def _token_prices(model, date, retired):
    frame = _in_force(date, model)
    if not retired:
        frame = frame[frame["status"] == "listed"]
    frame = frame.sort_values(["model", "provider", "source", "seller_model"]).reset_index(drop=True)
    frame["age_days"] = np.maximum(_days([date])[0] - _days(frame["last_seen"]), 0)
    frame["old"] = frame["age_days"] > OLD_DAYS
    outside = pd.Series(False, index=frame.index)
    for column in (MONEY["input"], MONEY["output"]):
        for _, part in frame.groupby("model"):
            range_ = _against_peers(part, column)
            beyond = (part[column] < range_["peer_low"]) | (part[column] > range_["peer_high"])
            outside[beyond.index[beyond]] = True
    frame["outside"] = outside
    frame["marks"] = _words(frame)
    return frame


def token_price(model, as_of=None, *, retired=False):
    """What a million tokens of a model cost as of a date: (low, typical, high) of each kind of token.

    Returns a dict: ``input`` [USD/Mtok_in], ``output`` [USD/Mtok_out], ``cached`` [USD/Mtok_cached] (None where no
    list gives one), ``as_of`` (newest day on which a list said so), ``providers`` and ``cached_providers`` (how many),
    ``offers``, ``rows`` (ids).  A seller counts once, with the median of its offers in all lists.
    Typical is the median over sellers, low and high the tenth and the ninetieth percentile over them: some offers are
    premium services or forgotten entries, and minimum and maximum would be those.
    """
    date = day(as_of)
    name = _model(model)
    rows = token_prices(name, date, retired=retired)
    if rows.empty:
        known = data.rows("api_prices", {"model": name})
        why = (f"the first one is of {known['as_of'].min()}" if known["as_of"].min() > date
               else "the lists of that day have it not, or only as retired")
        raise NoPrice(f"no token price of {name} as of {date}: {why}; ask for a later date, "
                      f"or add a row to {data.file('api_prices')}")
    found = {}
    for kind, column in MONEY.items():
        sellers = rows.dropna(subset=column).groupby("provider")[column].median()
        found[kind] = tuple(float(sellers.quantile(q)) for q in (TAILS[0], 0.5, TAILS[1])) if len(sellers) else None
    return found | {
        "as_of": min(rows["last_seen"].max(), date), "providers": int(rows["provider"].nunique()),
        "cached_providers": int(rows.dropna(subset=MONEY["cached"])["provider"].nunique()),
        "offers": len(rows), "rows": list(rows["id"]),
    }  # fmt: skip


def mixed_price(model, as_of=None, *, isl, osl):
    """What a million tokens of a mix cost as of a date: ``price`` (low, typical, high) and what :func:`token_price` says.

    Each seller is asked for the whole mix: who is cheap for input may be dear for output, so that the typical input and the
    typical output are together nobody's price list. [USD/Mtok]
    """
    found = token_price(model, as_of)
    sides = [MONEY["input"], MONEY["output"]]
    sellers = token_prices(model, as_of).groupby("provider")[sides].median().dropna()
    mixed = money.usd_per_mtok_blend(usd_per_mtok_in=sellers[sides[0]], usd_per_mtok_out=sellers[sides[1]], isl=isl,
                                     osl=osl)
    return found | {"price": tuple(float(mixed.quantile(q)) for q in (TAILS[0], 0.5, TAILS[1])), "providers": len(sellers)}


def disagreement(model=None, as_of=None):
    """Prices of the same model at the same seller in two lists, side by side, and their ratio.

    Columns ``model``, ``provider``, for each list the median of its offers (``genai_in``, ``litellm_in``,
    ``genai_out``, ``litellm_out`` [USD/Mtok]), ``ratio_in`` and ``ratio_out`` (genai-prices over LiteLLM), ``agree``.
    """
    rows = token_prices(model, as_of)
    lists = {"genai-prices": "genai", "litellm-prices": "litellm"}
    rows = rows[rows["source"].isin(lists)]
    wide = rows.groupby(["model", "provider", "source"])[[MONEY["input"], MONEY["output"]]].median().unstack("source")
    table = pd.DataFrame(index=wide.index)
    for short, column in (("in", MONEY["input"]), ("out", MONEY["output"])):
        for source, name in lists.items():
            table[f"{name}_{short}"] = wide[column].get(source, pd.Series(np.nan, index=wide.index))
        table[f"ratio_{short}"] = table[f"genai_{short}"] / table[f"litellm_{short}"]
    table = table.dropna().reset_index()
    table["agree"] = np.isclose(table["ratio_in"], 1, atol=0.005) & np.isclose(table["ratio_out"], 1, atol=0.005)
    return table

"""Figures of the chapter on prices."""

import altair as alt
import pandas as pd

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import extent, guide, labelled, scale, tooltip, words
from tokenecon_book.charts.forms import axis, intervals, lines, mark
from tokenecon_book.charts.frame import LINE, MOST, apart, breadth, colours, depth, finish, halo, pixel, value_at, wrapped

HOUR = axis("usd_per_gpu_hour", "An hour of one GPU", "USD/GPU/h", log=True)
HEIGHT = theme.HEIGHT + 60
FOUR = "Four accelerators, with both ends of the range; all are in the table below."


def history(found):
    """Rent over time: strokes for the typical price of each quarter, offers behind them, the documents' ranges at their dates."""
    table, offers, printed = found.table, found["offers"], found["printed"]
    order = [name for name in found["order"] if name in set(table["series"])]
    low, high = extent([table, offers, printed], HOUR)
    ends = low * 0.9, high * 1.05
    names = {name: wrapped(name, 12) for name in order}
    room = round(max(map(breadth, names.values())) + 14)
    price = {"axis": guide(HOUR, *ends), "scale": scale(HOUR, *ends)}
    days = alt.Axis(title="Date", format="%Y", tickCount="year", labelOverlap=False)
    across = alt.X("as_of:T", axis=days, scale=alt.Scale(type="utc", nice=False, rangeMax=alt.ExprRef(f"width - {room}")))
    up, hue = alt.Y("usd_per_gpu_hour:Q", **price), colours("series", found["order"])
    layers = _documents(labelled(printed, HOUR), across, price)
    said = [("name", "Seller"), ("offer", "Offer"), ("as_of", "First seen"), ("last_seen", "Last seen"), HOUR]
    dots = alt.Chart(labelled(offers, HOUR)).encode(x=across, y=up, color=hue, tooltip=tooltip(*said))
    layers += [dots.mark_rule(opacity=0.35, strokeWidth=1).encode(x2="last_seen:T"), dots.mark_point(size=26, opacity=0.45)]
    said = [("series", "Market"), ("quarter", "Quarter"), HOUR, ("providers", "Providers"), ("offers", "Offers")]
    strokes = alt.Chart(labelled(table, HOUR).rename(columns={"start": "as_of"})).mark_rule(strokeWidth=5, strokeCap="butt")
    layers.append(strokes.encode(x=across, x2="end:T", y=up, color=hue, tooltip=tooltip(*said)))
    layers += _names(table, names, ends, up, hue)
    return finish(alt.layer(*layers), None, "", HEIGHT)


def _documents(printed, across, price):
    """What the documents print: upright bars on the day they are dated, named below."""
    low = alt.Y("usd_per_gpu_hour_low:Q", **price)
    base = alt.Chart(printed.assign(words="documents")).encode(x=across, y=low)
    bars = base.mark_rule(strokeWidth=16, strokeDash=[2, 2], opacity=0.75, color=theme.CLAIMED)
    return [bars.encode(y2="usd_per_gpu_hour_high:Q", tooltip=tooltip(("as_of", "Documents"), HOUR)),
            *halo(base.encode(text="words:N"), align="center", baseline="top", dy=6)]


def _names(table, names, ends, up, hue):
    """The name of each part of the market at the right, near its last stroke, moved apart where they end close together."""
    last = table.groupby("series", sort=False).tail(1).set_index("series").loc[list(names)]
    places = [HEIGHT - pixel(value, *ends, True, HEIGHT) for value in last["usd_per_gpu_hour"]]
    moved = apart(places, [depth(text) for text in names.values()], HEIGHT - LINE / 2)
    tops = [place - (depth(text) - LINE) / 2 for place, text in zip(moved, names.values(), strict=True)]
    data = pd.DataFrame({"series": list(names), "words": list(names.values()),
                         "usd_per_gpu_hour": [value_at(HEIGHT - place, *ends, True, HEIGHT) for place in tops]})
    text = alt.Chart(data).mark_text(align="right", baseline="middle", lineBreak="\n", lineHeight=LINE)
    return [text.encode(x=alt.value(alt.ExprRef("width")), y=up, color=hue, text="words:N")]


def tokens(found):
    """Sellers of each model as ticks on their range, and the cost on rented GPUs below them."""
    cost = axis("usd_per_mtok", "All tokens, asked or made", "USD/Mtok", log=True)
    table = found.table
    kinds = {what: "offers" if what == "sold by the token" else "bound" for what in table["what"]}
    made = dict.fromkeys((what for what in kinds if what.startswith("rented")), "modelled")
    chart = intervals(table, cost, "label", group="what", range=kinds, known=made, sort=False)
    points = labelled(found["sellers"], cost)
    points["row_label"] = [wrapped(name, 22) for name in points["label"]]  # as intervals() breaks its own
    order = [wrapped(name, 22) for name in table["label"]]
    ticks = alt.Chart(points).mark_tick(thickness=1.5, size=16, color=theme.INK, opacity=0.55).encode(
        x=alt.X("usd_per_mtok:Q", title=words(cost)),
        y=alt.Y("row_label:N", sort=order), tooltip=tooltip(("provider", "Seller"), ("offers", "Offers"), cost))
    chart.layer.append(ticks)
    return chart


def by_seller(found):
    """An hour of each GPU by part of the market, with the range of offers."""
    ratios = found["ratios"]
    ends = [find(ratios, key=ratios.get) for find in (min, max)] if ratios else []
    names = list(dict.fromkeys([*ends, *ratios, *found.table["name"]]))[: MOST // 2]
    both = found.table[found.table["seller"].isin(["hyperscaler", "neocloud"]) & found.table["name"].isin(names)]
    return intervals(both if len(both) else found.table.head(MOST), HOUR, "label", group="seller", range="offers", sort=False,
                     subtitle=FOUR if len(ratios) > MOST // 2 else "")


def spot_regions(found):
    """Spot and on demand over regions."""
    return intervals(found.table, HOUR, "label", group="price", range="offers", sort=False)


def commitment(found):
    """Cost of a commitment over the yearly change of rents, with the page's change and the fastest ones observed."""
    marks = [mark("x", value, label) for label, value in found["marks"]]
    return lines(found.table, axis("change_per_year", "Change of rents in a year", "fraction"),
                 axis("cost_ratio", "Cost of the commitment, the alternative = 1", "ratio", zero=True), "contract",
                 range="offers", marks=[*marks, mark("y", 1.0, "break-even")])

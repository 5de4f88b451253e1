"""Figures of the case on conversations with shops."""

from tokenecon_book.charts.forms import axis, intervals, lines, mark


def price_levels(found):
    """A million tokens by each figure."""
    return intervals(found.table, axis("usd_per_mtok", "Cost of tokens", "USD/Mtok", log=True), "label", group="group",
                     range={"API": "sellers", "rented": "bound", "owned": "bound"},
                     known=dict.fromkeys(("rented", "owned"), "modelled"))


def turn(found):
    """Tokens of a turn: implied and measured."""
    return intervals(found.table, axis("tok_per_turn", "Tokens", "tok", log=True), "label", group="group",
                     range="draws", sort=False)


def bill(found):
    """Monthly cost over tokens of a turn, own fleet and API, with the bill and the turn that the documents leave."""
    kinds = {offer: "bound" if offer.startswith("own") else "sellers" for offer in found.table["offer"]}
    return lines(found.table, axis("tok_per_turn", "Tokens of a turn", "tok/request", log=True),
                 axis("usd_per_month", "Cost", "USD/month", log=True), "offer", range=kinds,
                 marks=[mark("y", found["bill"], "bill as paid"), mark("x", found["implied"], "implied"),
                        mark("x", found["usual"], "public trace")])

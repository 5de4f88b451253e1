"""Tables of a page: frames with names, cells that know their heading, row heads."""

import re

from tokenecon_book.site import frames

WIDE = """<table class="te-table"><thead>
<tr><th scope="col">Machine</th><th scope="col">Cost</th><th scope="col">Busy</th><th scope="col">Whose price</th></tr>
<tr class="te-units"><td></td><td>USD per month</td><td>%</td><td></td></tr></thead>
<tbody><tr><th scope="row">2 \u00d7 H100</th><td class="te-number">4.28</td><td>–</td><td>A &amp; B</td></tr></tbody></table>"""


def test_each_cell_says_its_heading_and_unit():
    found = frames.framed(WIDE)
    assert '<td class="te-number" data-label="Cost, USD per month">4.28</td>' in found
    assert '<td data-label="Busy, %" class="te-none">–</td>' in found and '<td data-label="Whose price">A &amp; B</td>' in found
    assert '<th scope="row">2 × H100</th>' in found and 'class="te-table framed cards"' in found  # four columns: cards


def test_a_long_unit_is_said_once_by_the_first_card_that_has_a_number():
    row = '<tr><th scope="row">{}</th><td>{}</td><td>5</td><td>x</td></tr>'
    rows = "".join(row.format(*one) for one in (("a", "–"), ("b", "1.07"), ("c", "2.31")))
    found = frames.framed(re.sub("<tbody>.*</tbody>", f"<tbody>{rows}</tbody>", WIDE, flags=re.S))
    assert re.findall('data-label="(Cost[^"]*)"', found) == ["Cost, USD per month", "Cost, USD per month", "Cost"]
    assert re.findall('data-label="(Busy[^"]*)"', found) == ["Busy, %"] * 3


def test_a_table_of_the_prose_gets_a_frame_with_a_name_and_row_heads():
    table = ('<div class="pst-scrollable-table-container"><table class="table">\n<thead>\n'
             '<tr class="row-odd"><th class="head"><p>a</p></th><th class="head"><p>b</p></th></tr></thead>'
             '<tbody><tr><td><p>x</p></td><td><p>y</p></td></tr></tbody></table></div>')
    heading = '<h2>What is <em>allowed</em>?<a class="headerlink" href="#x">#</a></h2>'
    found = frames.framed(heading + table + table)
    labels = re.findall(r'<div class="table-scroll" tabindex="0" role="region" aria-label="([^"]*)">', found)
    assert labels == ["Table: What is allowed?", "Table: What is allowed?, 2"]
    assert found.count('<th scope="row"><p>x</p></th><td data-label="b"><p>y</p></td>') == 2
    assert found.count('scope="col"') == 4 and "cards" not in found


def test_a_cell_over_several_columns_and_labels_that_stand_are_left_alone():
    group = ('<table class="data-table"><thead><tr><th>a</th><th>b</th></tr></thead>'
             '<tbody><tr><th colspan="2">g</th></tr>{}</tbody></table>')
    assert '<th colspan="2">g</th>' in frames.framed(group.format("").replace("data-table", "te-table"))
    said = '<tr><th scope="row">x</th><td data-label="mine">y</td></tr>'
    assert said in frames.framed(group.format(said))


def test_a_row_is_headed_by_words_and_not_by_a_symbol_or_nothing():
    """A head without text is none to a screen reader, and what MathML says is no text to axe-core."""
    row = "<tr><td>{}</td><td>bytes of a parameter</td><td>B/param</td><td>5</td></tr>"
    rows = "".join(row.format(first) for first in ("<p><math><mi>b</mi></math></p>", "", "<math><mi>b</mi></math> of a layer"))
    found = frames.framed(re.sub("<tbody>.*</tbody>", f"<tbody>{rows}</tbody>", WIDE, flags=re.S))
    assert re.findall(r'<th scope="row"[^>]*>(?!2)(.*?)</th>', found) == [
        "bytes of a parameter", "bytes of a parameter", "<math><mi>b</mi></math> of a layer"]
    assert '<td data-label="Machine"><p><math>' in found


def test_nothing_heads_no_column_and_no_row():
    assert '<td></td></tr>\n<tr class="te-units">' in frames.framed(WIDE.replace(">Whose price<", "><"))
    found = frames.framed(re.sub("<tbody>.*</tbody>", f"<tbody><tr>{'<td></td>' * 4}</tr></tbody>", WIDE, flags=re.S))
    assert found.count("<th ") == 4


def test_a_chart_does_not_repeat_the_finding_right_above_it():
    page = '<div class="finding docutils"><p>It’s <a href="#x">$1</a>.</p></div><p class="te-figure-title" id="a">It\'s $1</p>'
    assert frames.once(page).endswith('<p class="te-figure-title te-hidden" id="a">It\'s $1</p>')  # still its name
    assert frames.once(page.replace("$1</p>", "$2</p>")) == page.replace("$1</p>", "$2</p>")
    assert frames.once("<p>none</p>") == "<p>none</p>"

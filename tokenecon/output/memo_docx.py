"""A memo as a Word document: real styles, a native chart, tables with repeated heads, alternative texts, no clock."""

import re

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from openpyxl.chart import BarChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumVal, StrData, StrVal
from openpyxl.chart.error_bar import ErrorBars
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.series import Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties
from openpyxl.xml.functions import tostring

from tokenecon import __version__
from tokenecon.catalogue import TITLE
from tokenecon.output.memo_html import COLOURS, LINK
from tokenecon.output.packed import noon, packed

FONT, INK, MUTED, RAISED = "Arial", "1C2128", "57606B", "F1F5FA"
PAGE_MM, MARGIN_MM, ROW_MM = (210, 297), (14, 16), 8
WIDTH_MM = PAGE_MM[0] - 2 * MARGIN_MM[1]
SHORT = 10  # rows of a table that stays on one page
CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
# of a style: (size in points, bold, colour, space before and after in points)
STYLES = {"Normal": (9.5, False, INK, 0, 3), "Title": (16, True, INK, 0, 2), "Subtitle": (8.5, False, MUTED, 0, 5),
          "Heading 1": (11.5, True, "1D5FBF", 8, 2), "Caption": (8, False, MUTED, 0, 2),
          "Intense Quote": (10.5, False, INK, 4, 6),
          "Table": (7.6, False, INK, 0, 0), "Small": (7.5, False, MUTED, 0, 2), "Command": (8, False, INK, 2, 3)}  # fmt: skip
USED = {
    "title": "Title",
    "case": "Subtitle",
    "answer": "Intense Quote",
    "heading": "Heading 1",
    "text": "Normal",
    "small": "Small",
    "code": "Command",
}
BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # marks that XML does not hold


def written(blocks, day):
    """The memo as bytes; ``day``, that of its prices, is the document's own."""
    document = Document()
    _pages(document)
    _styles(document)
    for kind, content in blocks:
        if kind == "table":
            _table(document, content)
        elif kind == "chart":
            _chart(document, content)
        else:
            line = document.add_paragraph(_clean(content), style=USED[kind])
            line.paragraph_format.keep_with_next = True if kind in ("text", "heading") else None
    properties = document.core_properties
    properties.title = _clean(next(content for kind, content in blocks if kind == "title"))
    properties.author = properties.last_modified_by = TITLE
    properties.comments, properties.language, properties.revision = f"Version {__version__}", "en-US", 1
    properties.created = properties.modified = noon(day)
    return packed(document.save, day)


def _clean(text):
    return BAD.sub("?", str(text))


# --- page and styles -------------------------------------------------------------------------------


def _pages(document):
    section = document.sections[0]
    section.page_width, section.page_height = (Mm(size) for size in PAGE_MM)
    section.top_margin = section.bottom_margin = Mm(MARGIN_MM[0])
    section.left_margin = section.right_margin = Mm(MARGIN_MM[1])
    section.footer_distance = Mm(6)
    line = section.footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = line.add_run(f"{TITLE}, version {__version__} · page ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    field.append(parse_xml(f"<w:r {nsdecls('w')}><w:t>1</w:t></w:r>"))
    line._p.append(field)
    run.font.size = Pt(7.5)


def _styles(document):
    styles = document.styles
    for name, (size, bold, colour, before, after) in STYLES.items():
        style = styles[name] if name in [one.name for one in styles] else styles.add_style(name, 1)
        if name in ("Table", "Small", "Command"):
            style.base_style = styles["Normal"]
        style.font.name, style.font.size, style.font.bold, style.font.italic = FONT, Pt(size), bold, False
        style.font.color.rgb = RGBColor.from_string(colour)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        for script in ("hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{script}"), FONT)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.line_spacing = 1.05
        for spread in style.element.rPr.findall(qn("w:spacing")):  # letters of the template's titles stand apart
            style.element.rPr.remove(spread)
    _framed(styles["Intense Quote"], "left", "1D5FBF", RAISED)
    _framed(styles["Title"], None, None, None)
    styles["Intense Quote"].paragraph_format.left_indent = styles["Intense Quote"].paragraph_format.right_indent = Mm(2)
    styles["Heading 1"].paragraph_format.keep_with_next = True
    styles["Caption"].paragraph_format.keep_with_next = True


def _framed(style, side, colour, fill):
    """A rule beside the paragraphs of a style, and a ground behind them, in place of those of the template."""
    properties = style.element.get_or_add_pPr()
    for name in ("w:pBdr", "w:shd"):
        for old in properties.findall(qn(name)):
            properties.remove(old)
    if side:
        properties.insert_element_before(
            parse_xml(f'<w:pBdr {nsdecls("w")}><w:{side} w:val="single" w:sz="24" w:space="6" w:color="{colour}"/></w:pBdr>'),
            "w:shd",
            "w:spacing",
            "w:ind",
            "w:jc",
        )
        properties.insert_element_before(
            parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>'), "w:spacing", "w:ind", "w:jc"
        )


# --- tables ----------------------------------------------------------------------------------------


def _table(document, table):
    if table.caption:
        document.add_paragraph(_clean(table.caption), style="Caption")
    made = document.add_table(rows=0, cols=len(table.heads))
    made.alignment, made.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    properties = made._tbl.tblPr
    properties.append(
        parse_xml(
            f'<w:tblBorders {nsdecls("w")}><w:top w:val="single" w:sz="6" w:color="{MUTED}"/><w:bottom w:val="single" w:sz="6" '
            f'w:color="{MUTED}"/><w:insideH w:val="single" w:sz="4" w:color="CFD6DE"/></w:tblBorders>'
        )
    )
    properties.append(
        parse_xml(
            f'<w:tblCellMar {nsdecls("w")}><w:top w:w="20" w:type="dxa"/><w:left w:w="50" w:type="dxa"/>'
            f'<w:bottom w:w="20" w:type="dxa"/><w:right w:w="50" w:type="dxa"/></w:tblCellMar>'
        )
    )
    for name, text in (("w:tblCaption", table.alt), ("w:tblDescription", table.caption or table.alt)):
        node = OxmlElement(name)
        node.set(qn("w:val"), _clean(text))
        properties.append(node)
    _row(made, table, table.heads, head=True)
    for place, row in enumerate(table.rows, 1):
        _row(made, table, row, bold=row[0] == "Together", together=len(table.rows) <= SHORT and place < len(table.rows))
    whole = sum(table.widths)
    for place, width in enumerate(table.widths):
        size = Mm(WIDTH_MM * width / whole)
        made.columns[place].width = size
        for cell in made.columns[place].cells:
            cell.width = size
    document.add_paragraph(style="Table").paragraph_format.line_spacing = Pt(4)


def _row(made, table, values, *, head=False, bold=False, together=True):
    row = made.add_row()
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if head:
        properties.append(OxmlElement("w:tblHeader"))
    for place, (cell, value) in enumerate(zip(row.cells, values, strict=True)):
        line = cell.paragraphs[0]
        line.style = "Table"
        line.paragraph_format.keep_with_next = True if together else None
        if place in table.right:
            line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        if LINK.match(value):
            _linked(line, value)
        else:
            line.add_run(_clean(value)).bold = head or bold or (place == 0 and table.right != (0,))
        if head:
            cell._tc.get_or_add_tcPr().append(
                parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{RAISED}"/>')
            )


def _linked(line, address):
    """A link that shows whose address it is."""
    related = line.part.relate_to(_clean(address), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = parse_xml(f'<w:hyperlink {nsdecls("w", "r")} r:id="{related}"/>')
    run = line.add_run(_clean(address.split("://")[1].rstrip("/")))
    run.font.color.rgb, run.font.underline = RGBColor.from_string("1D5FBF"), True
    link.append(run._r)
    line._p.append(link)


# --- chart -----------------------------------------------------------------------------------------


def _chart(document, chart):
    """A native chart: it stays vectors, and Word can restyle it."""
    document.add_paragraph(_clean(f"{chart.title}. {chart.subtitle}."), style="Caption")
    part = Part(PackURI("/word/charts/chart1.xml"), CHART, tostring(_space(chart)), document.part.package)
    related = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    height = 12 + ROW_MM * len(chart.bars)
    inline = parse_xml(
        f'<wp:inline {nsdecls("wp", "a", "r")} distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{Mm(WIDTH_MM)}" '
        f'cy="{Mm(height)}"/><wp:docPr id="1" name="Chart 1"/><wp:cNvGraphicFramePr/><a:graphic><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart '
        f'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="{related}"/></a:graphicData></a:graphic>'
        "</wp:inline>"
    )
    about = inline.find(qn("wp:docPr"))
    about.set("descr", _clean(chart.alt))
    about.set("title", _clean(chart.title))
    run = document.add_paragraph().add_run()
    drawing = OxmlElement("w:drawing")
    drawing.append(inline)
    run._r.append(drawing)


def _space(chart):
    """The chart as XML, without a frame."""
    space = _bars(chart)
    space.graphical_properties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
    space.roundedCorners = False
    return space._write()


def _bars(chart):
    """Bars with their ranges, the first one on top, in the colours of their kinds."""
    bars = chart.bars
    size = len(bars)

    def numbers(values):
        return NumDataSource(
            numLit=NumData(ptCount=size, pt=[NumVal(idx=place, v=repr(float(one))) for place, one in enumerate(values)])
        )

    names = AxDataSource(
        strLit=StrData(
            ptCount=size, pt=[StrVal(idx=place, v=_clean(f"{one.name}\n{one.text}")) for place, one in enumerate(bars)]
        )
    )
    line = Series(idx=0, order=0, cat=names, val=numbers([one.middle for one in bars]), invertIfNegative=False)
    line.dPt = [
        DataPoint(
            idx=place,
            invertIfNegative=False,
            spPr=GraphicalProperties(solidFill=COLOURS[one.group].removeprefix("#"), ln=LineProperties(noFill=True)),
        )
        for place, one in enumerate(bars)
    ]
    line.errBars = ErrorBars(
        errBarType="both",
        errValType="cust",
        noEndCap=False,
        plus=numbers([one.high - one.middle for one in bars]),
        minus=numbers([one.middle - one.low for one in bars]),
        spPr=GraphicalProperties(ln=LineProperties(solidFill=INK, w=12700)),
    )
    made = BarChart(barDir="bar", gapWidth=60)
    made.series, made.legend, made.title, made.grouping = [line], None, None, "clustered"
    text = RichText(
        p=[
            Paragraph(
                pPr=ParagraphProperties(defRPr=CharacterProperties(sz=800, solidFill=INK, latin=Font(typeface=FONT))),
                endParaRPr=CharacterProperties(sz=800),
            )
        ]
    )
    made.x_axis.delete = made.y_axis.delete = False
    made.x_axis.scaling.orientation, made.x_axis.txPr, made.y_axis.txPr = "maxMin", text, text
    made.x_axis.majorTickMark = made.y_axis.majorTickMark = "none"
    made.y_axis.scaling.max = max(one.high for one in bars) * 1.02
    made.y_axis.scaling.min, made.y_axis.number_format, made.y_axis.crosses = 0, '"$"0.00', "max"
    made.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="DDE2E7"))
    made.x_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=MUTED))
    made.y_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
    made.layout = Layout(
        manualLayout=ManualLayout(layoutTarget="inner", xMode="edge", yMode="edge", x=0.36, y=0.02, w=0.61, h=0.84)
    )
    return made

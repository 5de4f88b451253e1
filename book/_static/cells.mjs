// Numbers of tables open cards as those of sentences do.  Value, unit, range and the rest of the row are read from the table; what
// stands behind them is read once a page, when the first one is asked for.

import { read, show } from "./cards.mjs";
import { openers } from "./openers.mjs";

const NONE = "–"; // how a table says that it has no number
const frames = document.querySelectorAll(".te-table-scroll[id^='t-']");

const text = (node) => node.textContent.replace(/\s+/g, " ").trim();

// Head and unit of each column, as they read now.
function columns(table) {
  const [heads, units] = table.tHead.rows;
  return [...heads.cells].map((cell, place) => ({ head: text(cell), unit: units ? text(units.cells[place]) : "" }));
}

// Value and range of a cell.
function parts(cell) {
  const range = cell.querySelector(".te-range");
  const all = text(cell);
  return { value: range ? all.slice(0, all.length - text(range).length).trim() : all, range: range ? text(range) : "" };
}

function card(opener, known) {
  const cell = opener.closest("td, th");
  const row = cell.parentElement;
  const table = row.closest("table");
  const named = columns(table);
  const place = cell.cellIndex;
  const { value, range } = parts(cell);
  const head = row.querySelector("th[scope=row]");
  const { head: title, unit } = named[place];
  const own = known.rows[known.rows.length > 1 ? row.sectionRowIndex : 0];
  const ofColumn = known.columns[place] || WHY;
  const ofRow = known.kinds[own.kinds?.[place]];
  const column = (range || ofRow?.basis === "claimed" ? ofRow : null) || ofColumn;
  const others = [...row.cells].flatMap((other, at) => {
    const { value: said, range: ends } = parts(other);
    return other === cell || other === head || !said || said === NONE ? [] : [`${named[at].head}: ${said}${ends ? ` (${ends})` : ""} ${named[at].unit}`.trim()];
  });
  const note = table.closest(".te-table-scroll").nextElementSibling;
  const caption = text(table.caption);
  const of = head && head !== cell ? text(head) : "";
  const rows = [
    ["Range", range ? [column.range ? `${range}: ${column.range}` : range] : []],
    ["Error", (range && column.modelled && own.Error[ofColumn.quantity]) || []],
    // those of its formulas that give the unit of the column; a claim is worked out with none
    ["Table worked out with", column.basis === "claimed" ? [] : ofColumn.Formulas ?? []],
    ["In the row", others],
    ["Note", known.Note ?? (note?.matches(".te-table-note") ? [text(note)] : [])],
    ["Made of", own["Made of"]],
    ["Facts", known.Facts],
    ["Sources", known.Sources],
    ["Table", known.Table],
    ["Cite", known.cite ? [`${`${[of, title].filter(Boolean).join(", ")}: ${value || range} ${unit}`.trim()}, ${known.cite}`] : []],
  ];
  return {
    title: [of, title].filter(Boolean).join(": "), value: value || range, unit, basis: column.basis, says: column.says, what: caption,
    rows: rows.filter(([, list]) => list.length),
  };
}

// What is shown of a table where nothing behind it can be read.
const UNREAD = { columns: [], kinds: {}, rows: [{ Error: {}, "Made of": [] }], Facts: [], Sources: [], Table: [], cite: "" };
const WHY = { basis: "not known", says: "what stands behind this number cannot be read; load the page again", range: "" };

async function ask(opener) {
  const table = opener.closest(".te-table-scroll");
  let known = UNREAD;
  try {
    known = (await read("cells"))[table.id] ?? UNREAD;
  } catch (error) {
    console.warn(`What stands behind the table ${table.id} cannot be read:`, error);
  }
  show(card(opener, known), opener);
}

for (const frame of frames) {
  const table = frame.querySelector("table");
  openers(table, table.tBodies[0].querySelectorAll(".te-number:not(.te-none), .te-said"), ask);
}

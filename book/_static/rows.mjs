// Numbers of the pages of data/ open cards.  What a row says is read from the table, and from the line above it what all rows have in
// common; what columns, bases and sources are, and where a row is used, is read once a page, when the first one is asked for.

import { read, show } from "./cards.mjs";
import { openers } from "./openers.mjs";
import { printed, unit as inChoice } from "./per.mjs";

const DAY = 86_400_000;
const NUMBERS = "td.num:has(strong), .pairs b";
const MORE = "td:not(.num, .where, .pairs)"; // what else stands in a row
const WHY = "what stands behind this number cannot be read; load the page again";
const UNREAD = {
  columns: {}, basis: { "not known": WHY }, usual: "not known", range: "", sources: {}, pages: [], used: [], date: "", address: "", page: "",
  cite: ["", ""],
};

const line = (said) => said.replace(/[ \n\t]+/g, " ").trim(); // thousands stay together
const text = (node) => line(node?.textContent ?? "");
const original = (node) => line(printed(node));
const days = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY);
const many = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Name and value of a pair: a name, then what it is.
const pair = (one) => `${text(one.querySelector("i"))}: ${text(one).slice(text(one.querySelector("i")).length).trim()}`;

// What a row says of its origin, or all rows do.
function origin(row, common, known) {
  const find = (selector) => row.querySelector(`.where ${selector}`) ?? common?.querySelector(selector);
  const basis = text(find(".basis")) || known.usual;
  const dates = [["", find("time:not(.seen)")], ["last seen ", find("time.seen")]].flatMap(([word, time]) => {
    const age = known.date && time ? `, ${many(days(text(time), known.date), "day")} old on ${known.date}` : "";
    return time ? [`${word}${text(time)}${age}`] : [];
  });
  const link = find("a[href*='sources.html#']");
  const source = link && (known.sources[decodeURIComponent(link.hash.slice(1))] ?? [text(link), link.href]);
  const place = find("cite");
  const at = place?.querySelector("a");
  const remarks = [...row.querySelectorAll(".where .remark"), ...(common?.querySelectorAll(".remark") ?? [])].map(text);
  return { basis, dates, sources: [source, place && (at ? [text(place), at.href] : text(place))].filter(Boolean), remarks };
}

function card(opener, known) {
  const cell = opener.closest("td");
  const row = cell.parentElement;
  const table = row.closest("table");
  const heads = [...table.tHead.rows[0].cells];
  const shared = table.closest("section").querySelector(".all-rows");
  const name = cell.matches(".pairs") ? opener.closest("span:not(.te-cell)").querySelector("i") : heads[cell.cellIndex];
  const isValue = cell.matches(".num");
  const column = known.columns[isValue ? "value" : original(name).toLowerCase()] ?? { unit: "", says: "" };
  const number = isValue ? cell.querySelector("strong") : opener;
  const ofRow = [...row.cells].find((one) => !one.matches(".num") && one.querySelector("strong")); // the row that its id means
  const unit = isValue ? cell.querySelector("i") : column.unit === original(name) ? name : ofRow?.querySelector("i");
  const words = (how) => (unit ? how(unit) : column.unit);
  const named = isValue || (unit === name && text(name).startsWith("USD")) ? "" : original(name); // money names its column
  const { basis, dates, sources, remarks } = origin(row, shared, known);
  const range = text(cell.querySelector(".range")).replace(/^\(|\)$/g, "");
  const others = [
    ...[...row.querySelectorAll(MORE)].filter((one) => one !== cell && text(one)).map((one) => `${text(heads[one.cellIndex])}: ${text(one)}`),
    ...[...row.querySelectorAll(".pairs > span"), ...(shared?.querySelectorAll(":scope > span:has(i)") ?? [])]
      .filter((one) => !one.contains(opener)).map(pair),
  ];
  const place = [...row.parentElement.querySelectorAll("tr:not(.group)")].indexOf(row);
  const target = `${known.page}#${row.id}`;
  const cited = `“${[row.id, named].filter(Boolean).join(", ")}: ${`${original(number)} ${words(original)}`.trim()}”`;
  const rows = [
    ["Range", range ? [[`${range} ${words(text)}`.trim(), known.range].filter(Boolean).join(": ")] : []],
    ["As of", dates],
    ["Sources", sources],
    ["Note", remarks],
    ["In the row", others],
    ["Pages", (known.used[place] ?? []).map((one) => known.pages[one])],
    ["Address", known.page ? [[`${known.address}#${row.id}`, target]] : []],
    ["Cite", known.page ? [`${cited}, ${known.cite[0]}#${row.id}${known.cite[1]}`] : []],
  ];
  return {
    title: [row.id, named].filter(Boolean).join(": "), value: text(number), unit: words(text), basis, says: known.basis[basis] ?? WHY,
    what: inChoice(column.says), rows: rows.filter(([, list]) => list.length),
  };
}

async function ask(opener) {
  let known = UNREAD;
  try {
    known = await read("rows");
  } catch (error) {
    console.warn("What stands behind the rows cannot be read:", error);
  }
  show(card(opener, known), opener);
}

for (const table of document.querySelectorAll("table[data-numbers]")) {
  const places = table.dataset.numbers.split(" ").filter(Boolean);
  const numbers = [...table.tBodies[0].querySelectorAll(NUMBERS)];
  for (const row of table.tBodies[0].rows) numbers.push(...places.map((place) => row.cells[place]).filter((cell) => cell?.textContent));
  openers(table, numbers, ask);
}

// Costs of a million tokens, or of a thousand: a switch in the head of each page that states such costs in sentences or tables.
//
// A cost and the words of its unit change together; where no words stand beside a cost, it gets its own.  The digits are those that
// are printed.  Charts, files and citations stay per million, and charts say so.  The choice is in the address and is remembered.

const NAME = "per";
const WORDS = { "1M": "million", "1k": "thousand" };
const COSTS = "a.number.per-million"; // site/pedigree/marks.py marks them
const CARD = ".finding-card"; // of the front page: the number and its words are paragraphs of their own
const BLOCKS = "p, li, dd, td, th, caption, figcaption, h1, h2, h3, h4";
const UNIT = /\b(per|a) million(?=(?: \w+)? tokens| of |[^\w ]|$)/gi; // not a million requests
const PER_TOKENS = /per million (?:\w+ )?tokens/;
const NUMBER = /\d[\d,]*(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?/g;
const PAIRS = ".data-table td.num i, .data-table .pairs i, .all-rows i"; // of data/: a unit and its number in one element
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const STAYS = "This chart stays per million tokens.";

// A printed number divided by a thousand: its point moves by three places, or its power of ten.
export function thousandth(number) {
  const [digits, power] = number.split(" × 10");
  if (power) {
    const value = Number([...power].map((mark) => (mark === "⁻" ? "-" : POWERS.indexOf(mark))).join("")) - 3;
    return `${digits} × 10${[...String(value)].map((mark) => (mark === "-" ? "⁻" : POWERS[mark])).join("")}`;
  }
  const [whole, rest = ""] = digits.replaceAll(",", "").split(".");
  const padded = whole.padStart(4, "0");
  const left = padded.slice(0, -3).replace(/\B(?=(\d{3})+$)/g, ",");
  const right = `${padded.slice(-3)}${rest}`.replace(/0+$/, "");
  return right ? `${left}.${right}` : left;
}

const numbers = (text) => text.replace(NUMBER, thousandth);
const dollars = (text) => text.replace(/(?<=\$)\d[\d,]*(?:\.\d+)?/g, thousandth);
const units = (text) => text.replace(UNIT, "$1 thousand");

// Texts of a card in the reader's choice: a cost, words of its unit, a text in which dollars are costs.
const chosen = (how) => (text) => (choice === "1k" ? how(text) : text);
export const [cost, unit, offer] = [numbers, units, dollars].map(chosen);

function stored() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null; // a browser may forbid storage
  }
}

function store() {
  try {
    localStorage.setItem(NAME, choice);
  } catch {
    // the choice then holds for this page, and in links of it
  }
}

function texts(root) {
  const found = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("svg, script, code, pre")) found.push(walk.currentNode);
  return found;
}

// Everything that the switch changes: pairs of a text or an attribute and how it reads by the thousand.
function changes() {
  const made = new Map(); // node to its text by the thousand
  const change = (node, how) => made.set(node, how(made.get(node) ?? node.data ?? node.value));
  for (const cost of document.querySelectorAll(COSTS)) {
    const block = cost.closest(CARD) ?? cost.closest(BLOCKS);
    const words = texts(block).filter((text) => text.data.search(UNIT) >= 0);
    for (const text of texts(cost)) change(text, words.length ? numbers : (said) => `${numbers(said)} per thousand`);
    for (const text of words) if (!made.has(text)) change(text, units);
  }
  for (const row of document.querySelectorAll("tr.te-units")) {
    const columns = [...row.cells].flatMap((cell, place) => (PER_TOKENS.test(cell.textContent) ? [place] : []));
    const table = row.closest("table");
    if (!columns.length) continue;
    for (const text of [table.caption, ...columns.map((place) => row.cells[place])].flatMap(texts)) change(text, units);
    for (const { cells } of table.rows) {
      for (const cell of columns.map((place) => cells[place]).filter(Boolean)) {
        const label = cell.getAttributeNode("data-label");
        if (label) change(label, (said) => units(dollars(said)));
        if (cell.parentElement === row) continue;
        const head = cell.scope === "col";
        for (const text of texts(cell)) change(text, head ? (said) => units(dollars(said)) : numbers);
      }
    }
  }
  for (const unit of document.querySelectorAll(PAIRS)) {
    if (!PER_TOKENS.test(unit.textContent)) continue;
    for (const text of texts(unit.closest("td.num, .pairs > span, .all-rows > span"))) {
      change(text, unit.contains(text) ? units : numbers);
    }
  }
  for (const table of document.querySelectorAll("table[data-numbers]")) {
    for (const head of table.tHead.rows[0].cells) {
      if (!PER_TOKENS.test(head.textContent)) continue;
      for (const text of texts(head)) change(text, units);
      for (const { cells } of table.tBodies[0].rows) if (cells[head.cellIndex]) texts(cells[head.cellIndex]).forEach((text) => change(text, numbers));
    }
    if (PER_TOKENS.test(table.getAttribute("style"))) change(table.getAttributeNode("style"), units); // heads on a phone
  }
  return [...made].map(([node, thousand]) => ({ node, million: node.data ?? node.value, thousand }));
}

// The text of a part of the page as it is printed, whatever the reader chose.
export const printed = (part) => texts(part).map((text) => list.find(({ node }) => node === text)?.million ?? text.data).join("");

function put(list) {
  for (const { node, million, thousand } of list) {
    const text = choice === "1k" ? thousand : million;
    if (node instanceof Attr) node.value = text;
    else node.data = text;
  }
  for (const figure of document.querySelectorAll("figure.te-figure")) {
    figure.querySelector(".te-per-stays")?.remove();
    const drawn = figure.querySelector(".te-figure-spec")?.textContent ?? "";
    if (choice === "1k" && /per million[^\]]*tokens/.test(drawn)) {
      const note = document.createElement("p");
      note.className = "te-figure-note te-per-stays";
      note.textContent = STAYS;
      figure.querySelector("figcaption").prepend(note);
    }
  }
}

function remember() {
  const address = new URL(location.href);
  if (choice === "1k") address.searchParams.set(NAME, choice);
  else address.searchParams.delete(NAME);
  history.replaceState(history.state, "", address);
}

function control(list) {
  const made = document.createElement("fieldset");
  const legend = document.createElement("legend");
  made.className = "te-per";
  legend.textContent = "Token costs per";
  made.append(legend);
  for (const [value, word] of Object.entries(WORDS)) {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "te-per", value, checked: value === choice });
    label.append(input, word);
    made.append(label);
  }
  made.addEventListener("change", (event) => {
    choice = event.target.value;
    put(list);
    store();
    remember();
  });
  return made;
}

let choice = [new URLSearchParams(location.search).get(NAME), stored()].find((one) => Object.hasOwn(WORDS, one ?? "")) ?? "1M";
const article = document.querySelector(".bd-article");
const list = article ? changes() : [];
if (list.length) {
  (article.querySelector(".case-line") ?? article.querySelector(".finding") ?? article.querySelector("h1")).after(control(list));
  put(list);
}

// The card of a number: a click, a tap or Enter on it opens what it is and where it is from.  Without this script, and where the
// cards cannot be read, the number is a link to its entry.  What a card says is put in as text, never as HTML.

import { cost, offer, unit } from "./per.mjs";

const root = new URL("../", import.meta.url);
const page = decodeURI(location.pathname.slice(root.pathname.length)).replace(/\.html$/, "").replace(/(^|\/)$/, "$1index");
const dialog = document.createElement("dialog");
const files = new Map(); // folder to promise of the page's file in it: read once, when the first card is asked for

export function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children);
  return made;
}

const LETTERS = { uk: /[\u0400-\u04ff]/, th: /[\u0e00-\u0e7f]/ }; // language to what only it writes here

// A part of a card: text, or a pair of text and target from the top of the site.
function part(one) {
  if (typeof one === "string") return one;
  const address = new URL(one[1], root);
  if (!["http:", "https:", "file:"].includes(address.protocol)) return one[0];
  const link = element("a", "", one[0]);
  link.href = address.href;
  const language = Object.keys(LETTERS).find((name) => LETTERS[name].test(one[0]));
  if (language) link.lang = language;
  return link;
}

const FEW = 3; // parts of a row that stand open; more fold
const SHORT = 24; // letters of parts that share a line
const LONG = ["Cite"]; // rows that fold though they have one part

function row([label, list]) {
  const made = list.map(part);
  const text = (one) => (typeof one === "string" ? one : one[0]);
  const inLine = list.length <= FEW && list.every((one) => text(one).length < SHORT);
  let shown = [element("ul", "", ...made.map((one) => element("li", "", one)))];
  if (LONG.includes(label)) shown = [element("details", "", element("summary", "", "as text"), ...made)];
  else if (list.length === 1) shown = made;
  else if (inLine) shown = made.flatMap((one, place) => (place ? [", ", one] : [one]));
  else if (list.length > FEW) {
    shown = [element("details", "", element("summary", "", `${list.length} ${label.toLowerCase()}`), ...shown)];
  }
  return [element("dt", "", label), element("dd", "", ...shown)];
}

// A card of a cost of a million tokens in the reader's choice; how to cite it stays as it is.
function inChoice(card) {
  if (!card.per_million) return card;
  const said = { Range: (text) => text.replace(/^[^:]*(?=:)/, cost), Offers: offer };
  const rows = card.rows.map(([label, parts]) => {
    const how = said[label] ?? ((text) => text);
    return [label, parts.map((one) => (typeof one === "string" ? how(one) : [how(one[0]), one[1]]))];
  });
  return { ...card, value: cost(card.value), unit: unit(card.unit), what: unit(card.what), rows };
}

function fill(card) {
  const title = element("h2", "te-card-title", card.title);
  title.id = "te-card-title";
  const close = element("button", "te-card-close", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(element("div", "te-card-body",
    element("div", "te-card-head", title, close),
    element("p", "te-card-value", element("strong", "", card.value), " ", element("span", "unit", card.unit)),
    element("p", "te-card-basis", element("span", `basis basis-${card.basis}`, card.basis), " ", card.says),
    element("p", "te-card-what", card.what),
    element("dl", "te-card-rows simple", ...card.rows.flatMap(row)),
  ));
}

// On a wide screen beside its number; on a narrow one the style sheet puts it at the lower edge.
function place(link) {
  dialog.style.removeProperty("inset");
  if (!matchMedia("(min-width: 48rem)").matches) return;
  const at = link.getBoundingClientRect();
  const { width, height } = dialog.getBoundingClientRect();
  const left = Math.max(16, Math.min(at.left, innerWidth - width - 16));
  const below = at.bottom + 8;
  const top = below + height < innerHeight - 8 ? below : Math.max(8, Math.min(at.top - height - 8, innerHeight - height - 8));
  dialog.style.inset = `${top}px auto auto ${left}px`;
}

// What a folder of the site holds about this page.
export function read(folder) {
  if (!files.has(folder)) {
    files.set(folder, fetch(new URL(`${folder}/${page}.json`, root)).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status} ${answer.url}`);
      return answer.json();
    }));
  }
  return files.get(folder);
}

export function show(card, beside) {
  fill(card);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  place(beside);
}

async function open(link) {
  const address = new URL(link.href);
  try {
    const card = (await read("cards"))[`${address.pathname}${address.hash}`.slice(root.pathname.length)];
    if (!card) throw new Error(`no card of ${link.href}`);
    show(inChoice(card), link);
  } catch (error) {
    console.warn("The number's entry opens in place of its card:", error);
    location.assign(link.href);
  }
}

dialog.className = "te-card";
dialog.setAttribute("aria-labelledby", "te-card-title");
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("a")) dialog.close(); // beside the card, or on to another place
});
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Escape") dialog.close(); // Chromium itself does not, with the focus on the head of a fold
});
document.body.append(dialog);
for (const link of document.querySelectorAll("a.number")) link.setAttribute("aria-haspopup", "dialog");
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.number");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link);
});

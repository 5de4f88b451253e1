// The search of the book: what it finds singly (search.json), below the field of the dialog on every page, and on the search page
// above Sphinx's own hits, which are pages.  All that comes from the field or the address is text.

const root = new URL("../", import.meta.url);
const FIRST = 3; // hits before those by kind
const EACH = 5; // hits of a kind that are shown without being asked for
const SHORT = 7; // hits in the dialog

const PLURALS = { Term: "Glossary", Price: "Prices", Accelerator: "Accelerators", "Published effect": "Published effects" };

let finder; // promise: loaded when somebody searches
async function find(query) {
  finder ??= import("./finder.mjs");
  return query ? (await finder).find(query) : [];
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function item(entry) {
  const made = element("li", "hit");
  const link = element("a", "hit-title", entry.title);
  link.href = new URL(entry.to, root).href;
  made.append(link, element("span", "hit-kind", entry.kind), element("span", "hit-line", entry.line));
  return made;
}

function list(entries) {
  const made = element("ul", "hits");
  made.append(...entries.map(item));
  return made;
}

// The best hits, then the others by kind, the kind of the best first.
function grouped(entries) {
  const kinds = new Map();
  for (const entry of entries.slice(FIRST)) kinds.set(entry.kind, [...(kinds.get(entry.kind) ?? []), entry]);
  const parts = [list(entries.slice(0, FIRST))];
  for (const [kind, hits] of kinds) {
    parts.push(element("h2", "hits-kind", PLURALS[kind] ?? `${kind}s`), list(hits.slice(0, EACH)));
    if (hits.length > EACH) {
      const more = element("details", "hits-more");
      more.append(element("summary", "", `${hits.length - EACH} more`), list(hits.slice(EACH)));
      parts.push(more);
    }
  }
  return parts;
}

const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// Answers what is typed; an answer that comes after the next question is dropped.
function answer(field, show, status) {
  let asked;
  return async () => {
    const query = (asked = field.value.trim());
    try {
      const hits = await find(query);
      if (asked !== query) return;
      show(hits, query);
      status.textContent = query ? (hits.length ? many(hits.length, "hit") : "No entry under these words") : "";
    } catch (error) {
      status.textContent = "The search could not be loaded";
      console.error("search:", error);
    }
  };
}

// Arrows go from the field through the hits and back.
function arrows(box, field) {
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [field, ...box.querySelectorAll(".hits a")].filter((one) => one.checkVisibility());
    const place = stops.indexOf(document.activeElement);
    if (place < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(place + step, 0), stops.length - 1)].focus();
  });
}

function dialog(box) {
  const form = box.querySelector("form");
  const field = form.elements.q;
  const status = element("p", "hits-count");
  const found = element("div", "hits-box");
  status.setAttribute("role", "status");
  box.append(status, found);
  const show = (hits, query) => {
    found.replaceChildren(list(hits.slice(0, SHORT)));
    if (!query) return;
    const all = element("a", "hits-all", "All hits, and pages that say it");
    all.href = `${new URL("search.html", root).href}?q=${encodeURIComponent(query)}`;
    found.append(all);
  };
  field.addEventListener("input", answer(field, show, status));
  arrows(box, field);
}

function page(form) {
  const field = form.elements.q;
  const found = document.querySelector("#found");
  const pages = document.querySelector("#found-pages");
  const asked = new URLSearchParams(location.search).get("q") ?? "";
  const hints = [...found.children];
  field.value = asked;
  const show = (hits, query) => {
    found.replaceChildren(...(query ? grouped(hits) : hints));
    pages.hidden = query !== asked.trim(); // those of the last question; Enter asks anew
  };
  const look = answer(field, show, document.querySelector("#found-count"));
  field.addEventListener("input", look);
  arrows(form.closest("main"), field);
  field.focus();
  look();
}

const box = document.querySelector("#pst-search-dialog");
if (box) dialog(box);
const form = document.querySelector("#search-page");
if (form) page(form);

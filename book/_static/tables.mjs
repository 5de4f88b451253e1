// A field above a long table hides the rows that do not hold the words typed; they stand in the address, so that what is left can be
// linked.  Above the parts of a table it finds words in all of them, and an address of a row leads on to the part that holds it.

import { stopOnSeen } from "./openers.mjs";

const LONG = 15;
const HERE = new URL(location.href);
const root = new URL("../", import.meta.url);

const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const words = (field) => field.value.toLowerCase().split(/\s+/).filter(Boolean);

function bar(table, apply) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("span");
  field.type = "search";
  field.placeholder = "words, e.g. h200 bandwidth";
  field.value = HERE.searchParams.get("q") ?? "";
  label.append("Find rows with ", field);
  count.setAttribute("role", "status");
  const made = document.createElement("div");
  made.className = "table-filter";
  made.append(label, count);
  table.closest(".table-scroll").before(made);
  const again = async () => {
    try {
      count.textContent = await apply(field);
    } catch (error) {
      console.warn("The rows of this table cannot be read:", error);
      count.textContent = "The rows cannot be read; load the page again.";
    }
  };
  field.addEventListener("input", () => {
    const address = new URL(location.href);
    if (field.value.trim()) address.searchParams.set("q", field.value.trim());
    else address.searchParams.delete("q");
    history.replaceState(history.state, "", address);
    again();
  });
  if (field.value) again();
}

function filterRows(table) {
  const rows = [...table.tBodies[0].rows];
  const facts = rows.filter((row) => !row.classList.contains("group"));
  if (facts.length <= LONG) return;
  const common = table.closest("section").querySelector(".all-rows")?.textContent ?? "";
  const texts = new Map(facts.map((row) => [row, `${row.id} ${row.textContent} ${common}`.toLowerCase()]));
  bar(table, (field) => {
    const asked = words(field);
    let shown = 0;
    let group = null;
    for (const row of rows) {
      if (row.classList.contains("group")) {
        group = row;
        row.hidden = true;
        continue;
      }
      row.hidden = !asked.every((word) => texts.get(row).includes(word));
      if (row.hidden) continue;
      shown += 1;
      if (group) group.hidden = false;
    }
    stopOnSeen(table);
    return asked.length ? `${shown} of ${facts.length} rows` : "";
  });
}

const files = new Map(); // table to promise of what its rows say and where they stand

function rowsOf(table) {
  const file = `rows/${table.dataset.parts}.json`;
  if (!files.has(file)) {
    files.set(file, fetch(new URL(file, root)).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status} ${answer.url}`);
      return answer.json();
    }));
  }
  return files.get(file);
}

const within = (page, part) => page === part || page.startsWith(`${part}/`);

function filterParts(table) {
  const parts = [...table.tBodies[0].rows].map((row) => {
    const count = row.querySelector("[data-label='Rows'] span");
    const link = row.querySelector("a");
    return { row, count, link, page: row.dataset.part, all: count.textContent, to: link.getAttribute("href") };
  });
  bar(table, async (field) => {
    const known = words(field).length ? await rowsOf(table) : {};
    const asked = words(field); // as they are when the rows are there
    let [shown, pages] = [0, 0];
    for (const { row, count, link, page, all, to } of parts) {
      let here = 0;
      for (const [place, { common, rows }] of Object.entries(known)) {
        if (!within(place, page)) continue;
        const line = common.toLowerCase();
        for (const [id, text] of Object.entries(rows)) {
          const said = `${id} ${text}`.toLowerCase();
          here += asked.every((word) => said.includes(word) || line.includes(word));
        }
      }
      row.hidden = asked.length > 0 && !here;
      count.textContent = asked.length ? `${here} of ${all}` : all;
      link.setAttribute("href", asked.length ? `${to}?q=${encodeURIComponent(field.value.trim())}` : to);
      shown += here;
      pages += here > 0;
    }
    return asked.length ? `${many(shown, "row")} in ${many(pages, "part")}` : "";
  });
}

// Leads from the address of a row on the page of its table to the part that holds it.
async function forward(table) {
  const mark = decodeURIComponent(location.hash.slice(1));
  if (!mark || document.getElementById(mark)) return;
  for (const [page, { rows, groups }] of Object.entries(await rowsOf(table))) {
    if (Object.hasOwn(rows, mark) || groups.includes(mark)) {
      location.replace(new URL(`${page}.html${location.search}#${encodeURIComponent(mark)}`, root));
      return;
    }
  }
}

for (const table of document.querySelectorAll("table.data-table")) {
  if (table.dataset.parts) {
    filterParts(table);
    forward(table);
    addEventListener("hashchange", () => forward(table));
  } else {
    filterRows(table);
  }
}

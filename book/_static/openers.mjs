// Numbers of a table that open cards: the table is one stop of the keyboard, arrows move between its numbers, and Enter, a click or a
// tap opens the card of one.

import { element } from "./cards.mjs";

const OPENER = "te-cell";
const HELP = "te-cells-help";
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const asked = new WeakMap(); // table to what shows the card of one of its openers

// Puts the keyboard's one stop of a table on an opener.
function stop(table, opener) {
  for (const other of table.querySelectorAll(`.${OPENER}[tabindex="0"]`)) {
    other.tabIndex = -1;
    other.removeAttribute("aria-describedby");
  }
  opener.tabIndex = 0;
  opener.setAttribute("aria-describedby", HELP);
}

// The stop of a table whose rows were hidden or shown: the first number that is seen, where it is on none.
export function stopOnSeen(table) {
  if (table.querySelector(`tr:not([hidden]) .${OPENER}[tabindex="0"]`)) return;
  const first = table.querySelector(`tr:not([hidden]) .${OPENER}`);
  if (first) stop(table, first);
}

// The opener next to one in a direction: cells without a number and hidden rows are left out; of several in a cell, that of one name.
function next(opener, [down, right]) {
  const cell = opener.closest("td, th");
  let row = cell.parentElement;
  if (right) {
    const inRow = [...row.querySelectorAll(`.${OPENER}`)];
    return inRow[inRow.indexOf(opener) + right];
  }
  const name = (one) => one.parentElement.previousElementSibling?.textContent;
  for (;;) {
    row = down > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!row) return null;
    const found = row.hidden ? [] : [...(row.cells[cell.cellIndex]?.querySelectorAll(`.${OPENER}`) ?? [])];
    if (found.length) return found.find((one) => found.length > 1 && name(one) === name(opener)) ?? found[0];
  }
}

function listen() {
  const help = element("p", "te-hidden", "Opens its card; arrow keys move between the numbers of the table.");
  help.id = HELP;
  document.body.append(help);
  const ask = (opener) => asked.get(opener.closest("table"))(opener);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.(`.${OPENER}`);
    if (!opener || getSelection().toString()) return;
    stop(opener.closest("table"), opener);
    ask(opener);
  });
  document.addEventListener("keydown", (event) => {
    const opener = event.target.closest?.(`.${OPENER}`);
    if (!opener || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      ask(opener);
    } else if (MOVES[event.key]) {
      event.preventDefault();
      const other = next(opener, MOVES[event.key]);
      if (!other) return;
      stop(opener.closest("table"), other);
      other.focus();
    }
  });
}

let listens = false;

// Makes what some elements of a table hold open cards, which ``ask`` shows.
export function openers(table, numbers, ask) {
  for (const number of numbers) {
    if (number.querySelector("a")) continue;
    const opener = element("span", OPENER, ...number.childNodes);
    opener.setAttribute("role", "button");
    opener.setAttribute("aria-haspopup", "dialog");
    opener.tabIndex = -1;
    number.append(opener);
  }
  asked.set(table, ask);
  stopOnSeen(table);
  if (!listens) listen();
  listens = true;
}

// The calculator and its panels on other pages: fields, the address that holds them, and the answers of the worker.

import { picture, raster } from "./calculator-picture.mjs";

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = ["svg", "g", "rect", "line", "text", "title"];
const LARGEST = 1e6; // bytes of a scenario file
const MOST = 4; // cases side by side
const TYPING = 1000; // ms without a key from which on a value is another one to go back to
const PATIENCE = 300; // ms from which on a reader is told that something is worked out
const FEW = 4; // accelerators from which on the table of all choices stands open
const root = document.querySelector("[data-calculator]");
const base = JSON.parse(document.querySelector("script[data-calc=start]").textContent);
const at = (name) => root.querySelector(`[data-calc="${name}"]`);
const whole = root.dataset.calculator === "page";
const form = root.querySelector("form");
const fields = [...form.elements].filter((one) => one.name);
const shown = Array.from({ length: MOST }, () => null); // the last good answer of each case
let cases = [{}]; // what each case has that the start has not, as texts
let active = 0;
let worker = null;
let asked = 0;
let waiting = []; // cases that are still to be answered
let telling = 0; // a reader who waits is told why
let marking = 0; // a value that may be half typed
let answering = null; // the case that the newest question is about

// --- elements, of which every text is text ---------------------------------------------------------

function made([tag, attributes, children]) {
  const element = DRAWN.includes(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((one) => (typeof one === "string" ? one : made(one))));
  return element;
}

function say(name, text) {
  const place = at(name);
  if (place && place.textContent !== text) place.textContent = text;
}

// --- the address -----------------------------------------------------------------------------------

// case 1 has plain names, case 2 those that begin with "2."
function ofAddress() {
  const found = [{}];
  for (const [key, value] of new URLSearchParams(location.search)) {
    const [, number, name] = key.match(/^(?:([2-9])\.)?(.*)$/s);
    const place = number ? Number(number) - 1 : 0;
    if (place >= MOST) continue;
    while (found.length <= place) found.push({});
    found[place][name] = value;
  }
  return found;
}

function toAddress(of = cases) {
  const query = new URLSearchParams();
  of.forEach((given, place) => {
    const all = Object.entries(given).filter(([name, value]) => value !== base.values[name]);
    if (place && !all.length) all.push(["model", base.values.model]);
    for (const [name, value] of all) query.set(place ? `${place + 1}.${name}` : name, value);
  });
  const text = query.toString();
  return text ? `?${text}` : location.pathname;
}

function remember(instead) {
  if (!whole) return;
  history[instead ? "replaceState" : "pushState"](null, "", toAddress());
}

// --- questions and answers -------------------------------------------------------------------------

function ask(place) {
  clearTimeout(marking);
  if (!waiting.includes(place)) waiting.push(place);
  next();
}

function started() {
  if (!worker) {
    try {
      worker = new Worker(new URL("./calculator-worker.mjs", import.meta.url), { type: "module" });
    } catch (error) {
      blocked(error.message);
      return null;
    }
    worker.onmessage = answered;
    worker.onerror = (event) => {
      event.preventDefault();
      blocked(event.message || "the worker did not load");
    };
  }
  return worker;
}

function next() {
  if (!waiting.length || !started()) return;
  waiting.sort((one, other) => (one === active) - (other === active)); // what stands behind an answer is worked out for the last
  asked += 1;
  answering = cases[waiting[0]];
  root.dataset.busy = "true";
  clearTimeout(telling);
  telling = setTimeout(() => say("status", "Calculating …"), PATIENCE);
  worker.postMessage({ id: asked, given: answering, brief: waiting[0] !== active });
}

function blocked(why) {
  clearTimeout(telling);
  delete root.dataset.busy;
  root.dataset.blocked = "true";
  say("status", `The engine could not be loaded (${why}). What stands here is the base case of the book; the command below gives any other.`);
}

function answered({ data: { id, found, error, file, later } }) {
  if (error) {
    blocked(error);
    return;
  }
  if (file) {
    opened(file);
    return;
  }
  if (id !== asked) return;
  clearTimeout(telling);
  if (later) {
    const known = shown[cases.indexOf(answering)];
    if (!known) return;
    known.later = later;
    root.dataset.whole = String(id);
    if (cases.indexOf(answering) === active) behind(known);
    return;
  }
  const place = waiting[0];
  if (!first && fields.some(({ name }) => name in found.wrong)) {
    marking = setTimeout(() => {
      mark(found.wrong);
      root.dataset.stale = "true"; // the last good result stays
      say("status", "One value is wrong; what stands here is the last good result.");
    }, typed ? PATIENCE : 0); // half a number is no fault
    waiting.shift();
    delete root.dataset.busy;
    next();
    return;
  }
  if (place === active) mark(found.wrong);
  shown[place] = found;
  if (place === active) show(found);
  if (!found.left) {
    waiting.shift();
    delete root.dataset.busy;
    root.dataset.answered = String(id);
    beside();
    if (first && Object.keys(found.wrong).length) replaced(place, found);
    first = waiting.length > 0 && first;
    if (waiting.length) next();
    else if (shown[active]) say("status", shown[active].case);
  }
}

let first = true; // what an address says is put right; what is typed is told

function show(found) {
  delete root.dataset.stale;
  delete root.dataset.blocked; // what did not load the last time did now
  const place = at("answer");
  const open = [...place.querySelectorAll("details[open]")].map((one) => one.className); // what is unfolded stays so
  if (found.parts > FEW) open.push("calc-choices");
  place.replaceChildren(...(whole ? found.answer : found.panel).map(made));
  behind(found);
  for (const one of place.querySelectorAll("details")) one.open = open.includes(one.className);
  say("status", found.left ? `${found.left} accelerators to go` : found.case);
  const more = at("open");
  if (more) more.href = `calculator.html${toAddress().startsWith("?") ? toAddress() : ""}`;
}

// what is worked out after the answer stands in its place there
function behind(found) {
  for (const [name, tree] of Object.entries(found.later)) root.querySelector(`.${name}`)?.replaceWith(made(tree));
}

function mark(wrong) {
  for (const one of root.querySelectorAll("[data-wrong]")) {
    const text = wrong[one.dataset.wrong] || "";
    one.textContent = text;
    one.hidden = !text;
    const field = fields.find((each) => each.name === one.dataset.wrong);
    if (text) {
      field.setAttribute("aria-invalid", "true");
      const section = field.closest("details");
      if (section) section.open = true;
    } else field.removeAttribute("aria-invalid");
  }
}

function tell(texts) {
  const list = at("address");
  if (!list || !texts.length) return;
  list.append(...texts.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  list.hidden = false;
}

// names what the address said and nobody knows, and puts the defaults in its place
function replaced(place, found) {
  tell(Object.values(found.wrong).map((text) => `${text}. It was replaced.`));
  const given = cases[place];
  for (const name of Object.keys(found.wrong)) delete given[name];
  if (place === active) {
    fill();
    mark({});
  }
  remember(true);
}

// --- side by side ----------------------------------------------------------------------------------

function beside() {
  const place = at("beside");
  if (!place) return;
  place.replaceChildren();
  if (cases.length < 2) return;
  const known = cases.map((_, number) => shown[number]);
  const heads = ["What", ...cases.map((_, number) => `Case ${number + 1}`)];
  const rows = [];
  for (const field of fields) {
    const texts = known.map((one) => (one ? word(field, one.values[field.name]) : "…"));
    if (new Set(texts).size > 1) rows.push([label(field), ...texts]);
  }
  for (const group of ["Call an API", "Rent by the hour", "Commit", "Own"]) {
    const cells = known.map((one) => one && one.groups.find((each) => each.words === group));
    if (cells.some(Boolean)) rows.push([`${group}, a month`, ...cells.map((one) => (one ? [one.month, one.range] : "–"))]);
  }
  const cell = (value, number) => ["td", { "data-label": `Case ${number + 1}` }, typeof value === "string" ? [value]
    : [value[0], ["span", { class: "calc-range" }, [value[1]]]]];
  const tree = ["div", { class: "table-scroll calc-table", tabindex: "0", role: "region", "aria-label": "Cases side by side" }, [
    ["table", { class: "calc-beside" }, [["caption", {}, ["Side by side: what differs, then what it costs"]],
      ["thead", {}, [["tr", {}, heads.map((text) => ["th", { scope: "col" }, [text]])]]],
      ["tbody", {}, rows.map(([name, ...cells]) => ["tr", {}, [["th", { scope: "row" }, [name]], ...cells.map(cell)]])]]]]];
  const tabs = cases.map((_, number) => {
    const button = made(["button", { type: "button", "aria-pressed": String(number === active) }, [`Change case ${number + 1}`]]);
    button.onclick = () => choose(number);
    return button;
  });
  const drop = made(["button", { type: "button" }, [`Remove case ${cases.length}`]]);
  drop.onclick = () => {
    cases.pop();
    shown[cases.length] = null;
    choose(Math.min(active, cases.length - 1));
    remember();
  };
  const line = made(["p", { class: "calc-buttons" }, []]);
  line.append(...tabs, drop);
  place.append(made(tree), line);
}

const label = (field) => form.querySelector(`label[for="${field.id}"]`).firstChild.textContent.trim();
const word = (field, value) => (field.tagName === "SELECT"
  ? [...field.options].find((one) => one.value === value)?.textContent ?? value : value || "–");

function choose(number) {
  active = number;
  fill();
  if (shown[number]) show(shown[number]);
  if (!shown[number] || !Object.keys(shown[number].later).length) ask(number);
  beside();
}

// --- a scenario file -------------------------------------------------------------------------------

async function open(given) {
  at("address").replaceChildren();
  if (given.size > LARGEST) {
    tell([`${given.name} has ${given.size} bytes; a scenario has ${LARGEST} at most`]);
    return;
  }
  let text;
  try {
    text = await given.text();
  } catch {
    tell([`${given.name} could not be read as a file`]); // a folder, or a file that is gone
    return;
  }
  if (started()) worker.postMessage({ id: asked, text });
}

function opened({ given, notes }) {
  tell(Object.keys(given).length ? notes : [...notes, "No parameter of this page stands in the file."]);
  if (!Object.keys(given).length) return;
  cases[active] = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== base.values[name]));
  first = true; // what a file says is put right like what an address says
  mark({});
  fill();
  fold();
  remember();
  ask(active);
}

// --- fields and buttons ----------------------------------------------------------------------------

function fill() {
  for (const field of fields) {
    const value = cases[active][field.name] ?? base.values[field.name];
    if (field.tagName === "SELECT" && ![...field.options].some((one) => one.value === value)) {
      const own = new Option(value, value); // a list of accelerators of the reader's own
      if (field.name === "gpus") field.add(own, 1);
    }
    field.value = value;
  }
}

let typed = ""; // the field whose value is being typed
let pause = 0;

function changed(event) {
  const { name, value, tagName } = event.target;
  if (!name) return;
  first = false;
  clearTimeout(pause);
  if (event.type === "change") typed = ""; // what comes next is another value
  const given = { ...cases[active], [name]: value };
  if (given[name] === base.values[name]) delete given[name];
  if (JSON.stringify(given) === JSON.stringify(cases[active])) return;
  cases[active] = given;
  remember(typed === name); // one step back takes back all that was typed
  if (event.type === "input" && tagName === "INPUT") {
    typed = name;
    pause = setTimeout(() => { typed = ""; }, TYPING);
  }
  ask(active);
}

function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const drawing = (found) => new XMLSerializer().serializeToString(made(picture(found, { address: link(), version: base.version })));

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function csv(found) {
  const heads = found.columns.flatMap(({ name }, place) => (found.rows.some((row) => row[place][1]) ? [name, `${name}_range`] : [name]));
  const lines = found.rows.map((row) => row.flatMap(([text, range], place) => (
    found.rows.some((one) => one[place][1]) ? [text, range] : [text])));
  return [heads, ...lines].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say("copied", `${what} copied: ${text}`);
  } catch {
    say("copied", text); // to be copied by hand
  }
}

const link = () => new URL(whole ? toAddress() : `calculator.html${toAddress().startsWith("?") ? toAddress() : ""}`, location.href).href.split("#")[0];

const DOES = {
  link: () => copy(link(), "Link"),
  command: (found) => copy(found.command, "Command"),
  scenario: (found) => save("calculator.yml", "text/yaml", found.scenario),
  csv: (found) => save("calculator.csv", "text/csv", csv(found)),
  picture: (found) => save("calculator.svg", "image/svg+xml", drawing(found)),
  png: async (found) => save("calculator.png", "image/png", await raster(drawing(found))),
  open: () => at("file").click(),
  cite: (found) => copy(`${root.dataset.citation} ${found.case}. ${link()}`, "Citation"),
  reset: () => {
    cases = [{}];
    active = 0;
    shown.fill(null);
    mark({});
    fill();
    remember();
    ask(0);
  },
  compare: () => {
    if (cases.length === MOST) {
      say("copied", `At most ${MOST} cases stand side by side.`);
      return;
    }
    cases.push({ ...cases[active] });
    shown[cases.length - 1] = shown[active];
    active = cases.length - 1;
    remember();
    if (shown[active]) beside();
    else ask(active);
    say("status", `Now change case ${cases.length}.`);
    form.scrollIntoView({ block: "start" });
  },
};

root.addEventListener("click", (event) => {
  const does = event.target.closest("[data-do]")?.dataset.do;
  if (does) DOES[does](shown[active] ?? base);
});
const chooser = at("file");
if (chooser) {
  chooser.addEventListener("change", () => {
    if (chooser.files.length) open(chooser.files[0]);
    chooser.value = ""; // the same file may be chosen again
  });
  addEventListener("dragover", (event) => { // anywhere: a browser would leave the page for a file beside the form
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    root.dataset.over = "true";
  });
  addEventListener("dragleave", () => delete root.dataset.over);
  addEventListener("drop", (event) => {
    delete root.dataset.over;
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
}
form.addEventListener("input", changed);
form.addEventListener("change", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("focusin", () => worker || ask(active), { once: true }); // ready before the first change

function restore() {
  cases = whole ? ofAddress() : [{}];
  active = Math.min(active, cases.length - 1);
  shown.fill(null);
  fill();
  if (cases.some((given) => Object.keys(given).length)) {
    first = true;
    cases.forEach((_, place) => ask(place));
  } else if (worker) ask(0);
}

// a section is folded where it would push the answer off a phone, and open where it holds what an address or a file says
function fold() {
  const narrow = matchMedia("(max-width: 61.99rem)").matches;
  [...form.querySelectorAll(".calc-section")].forEach((one, place) => {
    const said = [...one.querySelectorAll("[name]")].some(({ name }) => name in cases[active]);
    if (said) one.open = true;
    else if (narrow && place) one.open = false;
  });
}

window.addEventListener("popstate", restore);
restore();
fold();

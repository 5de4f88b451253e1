// Runs the engine beside the page.  A message {id, given} is answered by the case as it fills, and, unless it says brief, by what
// stands behind the answer, {id, later}; a message {id, text} by what a scenario file holds, {id, file}.

import { loadMicroPython } from "./calculator/micropython.mjs";
import { engine } from "./calculator-engine.mjs";

const PATIENCE = 300; // ms until a table that fills is shown, so that nothing flickers
const LONGER = 1.7; // times as long until it is shown again: to write it takes time, too

async function text(name) {
  const answer = await fetch(new URL(`./calculator/${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}.json: ${answer.status}`);
  return answer.text();
}

async function start() {
  const [modules, facts] = await Promise.all(["modules", "facts"].map(text));
  return engine(loadMicroPython, { modules: JSON.parse(modules), facts, prices: (day) => text(`prices-${day}`) });
}

const started = start();
let newest = 0;

const QUIET = 200; // ms after an answer until what stands behind it is begun: who types on is served first
const SLICE = 25; // ms of work until a newer question is heard
const turn = new MessageChannel(); // a timer would wait 4 ms each time
let go = null;
turn.port1.onmessage = () => go();
const pause = () => new Promise((done) => {
  go = done; // only the newest question waits: whoever waited before is outdated
  turn.port2.postMessage(null);
});

self.onmessage = async ({ data: { id, given, brief, text: file } }) => {
  if (file === undefined) newest = id;
  try {
    const run = await started;
    if (file !== undefined) {
      self.postMessage({ id, file: run.opened(file) });
      return;
    }
    if (id !== newest) return;
    await run.ready(given);
    if (id !== newest) return;
    run.begin(given);
    let last = performance.now();
    let patience = PATIENCE;
    while (run.step()) {
      if (performance.now() - last > patience) {
        self.postMessage({ id, found: run.told() });
        last = performance.now();
        patience *= LONGER;
      }
      await pause();
      if (id !== newest) return;
    }
    self.postMessage({ id, found: run.told() });
    if (brief) return;
    await new Promise((done) => setTimeout(done, QUIET));
    for (let open = id === newest; open;) {
      await pause();
      if (id !== newest) return;
      const until = performance.now() + SLICE;
      while ((open = run.more()) && performance.now() < until);
      if (!open) self.postMessage({ id, later: run.later() });
    }
  } catch (error) {
    self.postMessage({ id, error: String(error.message || error) });
  }
};

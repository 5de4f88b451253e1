// Runs the engine beside the page: a message {id, given} is answered by one message for each accelerator that is done.

import { loadMicroPython } from "./calculator/micropython.mjs";
import { engine } from "./calculator-engine.mjs";

const PATIENCE = 300; // ms between two answers while accelerators are left, so that a table fills and nothing flickers

async function text(name) {
  const answer = await fetch(new URL(`./calculator/${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}.json: ${answer.status}`);
  return answer.text();
}

async function start() {
  const [modules, facts] = await Promise.all(["modules", "facts"].map(text));
  const prices = await text(`prices-${JSON.parse(facts).start.as_of}`);
  return engine(loadMicroPython, { modules: JSON.parse(modules), facts, prices });
}

const started = start();
let newest = 0;

self.onmessage = async ({ data: { id, given } }) => {
  newest = id;
  try {
    const run = await started;
    if (id !== newest) return;
    run.begin(given);
    let last = performance.now();
    while (run.step()) {
      if (performance.now() - last > PATIENCE) {
        self.postMessage({ id, found: run.told() });
        last = performance.now();
      }
      await new Promise((go) => setTimeout(go)); // a newer question is heard
      if (id !== newest) return;
    }
    self.postMessage({ id, found: run.told() });
  } catch (error) {
    self.postMessage({ id, error: String(error.message || error) });
  }
};

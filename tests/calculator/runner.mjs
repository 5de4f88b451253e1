// Answers cases on MicroPython as the page does: node runner.mjs FOLDER ENGINE < cases.json > answers.json
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, code] = process.argv.slice(2);
const { engine } = await import(pathToFileURL(code));
const { loadMicroPython } = await import(pathToFileURL(join(folder, "micropython.mjs")));
const read = (name) => readFileSync(join(folder, `${name}.json`), "utf8");
const run = await engine(loadMicroPython, {
  modules: JSON.parse(read("modules")), facts: read("facts"), prices: async (day) => read(`prices-${day}`),
});
const answers = [];
for (const given of JSON.parse(readFileSync(0, "utf8"))) {
  const started = performance.now();
  await run.ready(given);
  run.begin(given);
  while (run.step());
  answers.push({ ...run.told(), ms: performance.now() - started });
}
process.stdout.write(JSON.stringify(answers));

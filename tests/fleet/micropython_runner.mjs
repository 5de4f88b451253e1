// Plans fleets in MicroPython: node micropython_runner.mjs PACKAGE_FOLDER < cases.json > results.json
// Each case holds the hours as ratios, the terms of a fleet and a price; the arithmetic is that of tokenecon.fleet.policies.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const source = process.argv[2];
const micropython = await loadMicroPython({ heapsize: 16 * 1024 * 1024 });
const fleet = ["erlang", "poisson", "policies"];
const formulas = readdirSync(join(source, "formulas")).filter((name) => name.endsWith(".py"));
const modules = ["units.py", "numerics.py", ...formulas.map((name) => join("formulas", name)),
  ...fleet.map((name) => join("fleet", `${name}.py`))];
for (const path of modules) {
  const target = join("/lib/tokenecon", path);
  for (const folder of ["/lib", "/lib/tokenecon", dirname(target)]) {
    if (!micropython.FS.analyzePath(folder).exists) micropython.FS.mkdir(folder);
  }
  micropython.FS.writeFile(target, readFileSync(join(source, path), "utf8"));
}
micropython.FS.writeFile("/asked.json", readFileSync(0, "utf8"));
micropython.runPython(`
import json, sys
if "/lib" not in sys.path:
    sys.path.append("/lib")
from tokenecon.fleet import policies

def planned(case):
    found = policies.plan(case["ratios"], **case["terms"])
    found.update(policies.costs(found, requests_per_s=case["terms"]["requests_per_s"], **case["price"]))
    # as text with all digits: MicroPython's own writer of JSON rounds
    return {name: "%.17g" % value for name, value in found.items()}

with open("/asked.json") as file:
    cases = json.load(file)
with open("/results.json", "w") as file:
    json.dump({"implementation": sys.implementation.name, "results": [planned(case) for case in cases]}, file)
`);
process.stdout.write(micropython.FS.readFile("/results.json", { encoding: "utf8" }));

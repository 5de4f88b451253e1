// Runs whole estimates in MicroPython: node micropython_runner.mjs PACKAGE_FOLDER < cases.json > results.json
// Each case holds records of data/ and numbers; the arithmetic is that of tokenecon.serving.results.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const source = process.argv[2];
const micropython = await loadMicroPython({ heapsize: 16 * 1024 * 1024 });
const serving = ["arrivals/chances", "arrivals/first_token", "arrivals/poisson", "coefficients", "intervals", "operands",
  "results", "steady_state"];
const formulas = readdirSync(join(source, "formulas")).filter((name) => name.endsWith(".py"));
const modules = ["units.py", "numerics.py", "numbers.py", "model_shape.py", ...formulas.map((name) => join("formulas", name)),
  ...serving.map((name) => join("serving", `${name}.py`))];
for (const path of modules) {
  const target = join("/lib/tokenecon", path);
  for (const folder of ["/lib", "/lib/tokenecon", dirname(dirname(target)), dirname(target)]) {
    if (!micropython.FS.analyzePath(folder).exists) micropython.FS.mkdir(folder);
  }
  micropython.FS.writeFile(target, readFileSync(join(source, path), "utf8"));
}
micropython.FS.writeFile("/asked.json", readFileSync(0, "utf8"));
micropython.runPython(`
import json, sys
if "/lib" not in sys.path:
    sys.path.append("/lib")
from tokenecon import model_shape
from tokenecon.serving import operands, results

def hardware(case, model):
    shape = model_shape.record(case[model])
    found = operands.of_model(shape)
    found.update(operands.of_gpu(case["gpu"]))
    found.update(operands.of_weights(shape, *case["formats"][model][:2], case["gpu"], case["formats"][model][2]))
    found["cache_bytes"] = operands.CACHES[case["kv"]]
    return found

def number(value):  # JSON has neither of the two
    return {"nan": float("nan"), "inf": float("inf")}.get(value, value)

def estimate(case):
    return results.one(
        hardware(case, "model"), {name: number(value) for name, value in case["number"].items()}, case["places"],
        new=case["new"], values=asked["values"], widths=asked["widths"], tails=True,
        draft=hardware(case, "draft") if case["draft"] else None)

with open("/asked.json") as file:
    asked = json.load(file)
answer = {"implementation": sys.implementation.name, "double": 1.0 + 2.0 ** -52 > 1.0, "results": []}
for case in asked["cases"]:
    # as text with all digits: MicroPython's own writer of JSON rounds
    answer["results"].append({name: value if isinstance(value, (str, bool)) else "%.17g" % value
                              for name, value in estimate(case).items()})
with open("/results.json", "w") as file:
    json.dump(answer, file)
`);
process.stdout.write(micropython.FS.readFile("/results.json", { encoding: "utf8" }));

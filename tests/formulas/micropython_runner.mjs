// Runs calls of formulas in MicroPython: node micropython_runner.mjs PACKAGE_FOLDER < calls.json > results.json
// Numbers cross as the hexadecimal bytes of IEEE doubles, so that no printing or parsing rounds them.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const source = process.argv[2];
const micropython = await loadMicroPython({ heapsize: 16 * 1024 * 1024 });
for (const folder of ["/lib", "/lib/tokenecon", "/lib/tokenecon/formulas"]) {
  if (!micropython.FS.analyzePath(folder).exists) micropython.FS.mkdir(folder);
}
const copy = (path) =>
  micropython.FS.writeFile(join("/lib/tokenecon", path), readFileSync(join(source, path), "utf8"));
copy("units.py");
copy("numerics.py");
for (const name of readdirSync(join(source, "formulas"))) {
  if (name.endsWith(".py")) copy(join("formulas", name));
}
micropython.FS.writeFile("/calls.json", readFileSync(0, "utf8"));
micropython.runPython(`
import sys
if "/lib" not in sys.path:
    sys.path.append("/lib")
import binascii, json, struct

def decode(value):
    if isinstance(value, str):
        return struct.unpack("<d", binascii.unhexlify(value))[0]
    if isinstance(value, list):
        return [decode(element) for element in value]
    return value

def run(call):
    module = __import__("tokenecon.formulas." + call["module"], None, None, ["*"])
    function = getattr(module, call["function"])
    result = function(**{name: decode(value) for name, value in call["arguments"].items()})
    return binascii.hexlify(struct.pack("<d", result)).decode()

with open("/calls.json") as file:
    calls = json.load(file)
results = []
for call in calls:
    try:
        results.append(run(call))
    except Exception as error:
        results.append("error: %s: %s" % (type(error).__name__, error))
with open("/results.json", "w") as file:
    json.dump({"implementation": sys.implementation.name, "results": results}, file)
`);
process.stdout.write(micropython.FS.readFile("/results.json", { encoding: "utf8" }));

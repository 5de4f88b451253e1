// Our own package on MicroPython: the modules as the command runs them, facts and prices as JSON.  In a worker, and in the tests.

const START = `
import gc, json, sys
sys.path.append("/lib")
from tokenecon.calculator import markup
gc.threshold(8 * 1024 * 1024)  # of what a call leaves behind; 16 kB are usual, and then each call would sweep the whole heap
with open("/facts.json") as file:
    facts = json.load(file)
facts["prices"] = {}
def priced(text):
    one = json.loads(text)
    facts["prices"][one["day"]] = one
def day(given):
    return markup.day(facts, json.loads(given))
runs = []
def begin(given):
    runs[:] = [markup.Run(facts, json.loads(given))]
def step():
    return runs[0].step()
def more():
    return runs[0].more()
def told():
    return runs[0].told()
def told_later():
    return runs[0].told_later()
def opened(text):
    return markup.opened(facts, text)
`;

// prices: an asynchronous function that gives those of a day, as text
export async function engine(loadMicroPython, { modules, facts, prices }) {
  const python = await loadMicroPython({ heapsize: 16 * 1024 * 1024 });
  for (const [path, source] of Object.entries(modules)) {
    let folder = "/lib";
    for (const part of ["", ...path.split("/").slice(0, -1)]) {
      folder += part && `/${part}`;
      if (!python.FS.analyzePath(folder).exists) python.FS.mkdir(folder);
    }
    python.FS.writeFile(`/lib/${path}`, source);
  }
  python.FS.writeFile("/facts.json", facts);
  python.runPython(START);
  const [begin, step, more, told, later, opened, priced, day] = [
    "begin", "step", "more", "told", "told_later", "opened", "priced", "day"].map((name) => python.globals.get(name));
  const known = new Set();
  return {
    // has the prices that a case asks for
    async ready(given) {
      const asked = day(JSON.stringify(given));
      if (known.has(asked)) return;
      priced(await prices(asked));
      known.add(asked);
    },
    begin: (given) => begin(JSON.stringify(given)), step, more, told: () => JSON.parse(told()),
    later: () => JSON.parse(later()), opened: (text) => JSON.parse(opened(text)),
  };
}

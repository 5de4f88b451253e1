// The bars of an answer as a picture that stands alone: parameters, version and address in its foot.  A tree like those of the page.

const WIDE = 840, EDGE = 28, ROW = 64, LINE = 20;
const LETTERS = 125; // of a line in the foot
const COLOURS = { "API": "#1c7c4a", "rent by the hour": "#b35a00", "commitment": "#7a3b78", "own": "#1a56a8" };
const FONT = "Arial, 'Liberation Sans', sans-serif";

const text = (x, y, words, more = {}) => ["text", { x: String(x), y: String(y), "font-family": FONT, "font-size": "14", fill: "#1c2128", ...more }, [words]];

function lines(words, most) {
  const found = [""];
  for (let word of words.split(" ")) {
    for (; word.length > most; word = word.slice(most)) found.push(word.slice(0, most)); // an address has no spaces
    if (found.at(-1).length + word.length + 1 > most) found.push(word);
    else found[found.length - 1] += (found.at(-1) && " ") + word;
  }
  return found.filter(Boolean);
}

export function picture(found, { address, version }) {
  const parts = [];
  let y = EDGE + 4;
  for (const line of lines(found.sentence, 84)) parts.push(text(EDGE, y += 22, line, { "font-size": "18", "font-weight": "700" }));
  y += 30;
  const most = Math.max(...found.groups.map((one) => one.usd[2]), 0);
  const at = (usd) => EDGE + ((WIDE - 2 * EDGE) * usd) / most;
  for (const one of found.groups) {
    const [low, usd, high] = one.usd.map(at).map((value) => value.toFixed(1));
    parts.push(
      text(EDGE, y, one.words, { "font-weight": "700" }), text(EDGE + 150, y, `${one.name} · ${one.price}`, { fill: "#57606b", "font-size": "13" }),
      text(WIDE - EDGE, y, `${one.month} (${one.range})`, { "text-anchor": "end" }),
      ["rect", { x: String(EDGE), y: String(y + 8), width: String(usd - EDGE), height: "16", fill: COLOURS[one.group] }, []],
      ["line", { x1: low, x2: high, y1: String(y + 16), y2: String(y + 16), stroke: "#1c2128", "stroke-width": "1.5" }, []],
      ...[low, high].map((x) => ["line", { x1: x, x2: x, y1: String(y + 10), y2: String(y + 22), stroke: "#1c2128", "stroke-width": "1.5" }, []]));
    y += ROW;
  }
  const foot = ["USD a month. Bars: expected. Lines: 10th to 90th percentile of the price, together with the 80% interval of the model.",
    `${found.case}.`, `“What a token costs”, version ${version}. ${address}`];
  y -= 12;
  for (const line of foot.flatMap((words) => lines(words, LETTERS))) parts.push(text(EDGE, y += LINE, line, { "font-size": "12.5", fill: "#57606b" }));
  const high = y + EDGE;
  return ["svg", { xmlns: "http://www.w3.org/2000/svg", width: String(WIDE), height: String(high), viewBox: `0 0 ${WIDE} ${high}`, role: "img" }, [
    ["title", {}, [found.sentence]], ["rect", { x: "0", y: "0", width: String(WIDE), height: String(high), fill: "#fff" }, []], ...parts]];
}

const SHARP = 2; // pixels of a raster to one of the drawing

// a drawing as PNG: from the address of data, which the policy of the pages allows
export async function raster(drawing) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: SHARP * image.width, height: SHARP * image.height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// Charts of a page: when a figure comes near the screen, its static picture is replaced by the same
// chart drawn by Vega, which answers the pointer and fits the width.  If that fails, the picture stays.
//
// Colours of ink, grid and ground are custom properties of the page (charts.css), inside Vega's SVG too:
// a change of theme recolours the charts at once, and only the tooltip has to follow by its own style.

const figures = document.querySelectorAll("figure.te-figure");
let library; // promise of the Vega bundle: loaded once a page, and only when a chart is near

async function draw(figure) {
  const stage = figure.querySelector(".te-figure-stage");
  const spec = JSON.parse(figure.querySelector(".te-figure-spec").textContent);
  library ??= import(new URL("./vega-bundle.mjs", import.meta.url).href);
  const { embed } = await library;
  await document.fonts.load("1em 'Book Sans'"); // Vega measures text once: not in a font that gives way to this one

  // Drawn out of sight first, at the stage's width, so that the page never shows an empty frame.
  const live = document.createElement("div");
  live.className = "te-live";
  stage.append(live);
  try {
    const result = await embed(live, spec, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true, // expressions are interpreted, not compiled: works without unsafe-eval
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    });
    live.querySelector("svg").setAttribute("aria-hidden", "true");
    stage.after(...live.querySelectorAll(".vega-bindings")); // the stage is one picture to a screen reader: fields stand below it
    figure.dataset.drawn = "true"; // charts.css hides the static pictures now
    followWidth(stage, result.view);
  } catch (error) {
    live.remove();
    throw error;
  }
}

// Vega listens to the window; a column also changes when a sidebar opens.
function followWidth(stage, view) {
  let width = stage.clientWidth;
  let waiting = 0;
  new ResizeObserver(() => {
    if (stage.clientWidth === width || stage.clientWidth === 0) return;
    width = stage.clientWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => view.resize().signal("width", width).runAsync());
  }).observe(stage);
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(target).catch((error) => {
        target.dataset.drawn = "failed";
        console.error(`Figure ${target.id} stays a static picture:`, error);
      });
    }
  },
  { rootMargin: "400px" },
);
for (const figure of figures) near.observe(figure);

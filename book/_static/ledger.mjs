// The filter of the claims: by section, verdict and text; its state is in the address, so that a
// filtered list can be linked.  Without this script the page shows all claims and no filter.

const ledger = document.querySelector(".te-claims");
const form = ledger.querySelector(".te-claims-filter");
const count = form.querySelector(".te-claims-count");
const none = ledger.querySelector(".te-claims-none");
const claims = [...ledger.querySelectorAll(".te-claim")].map((article) => ({
  article,
  // not its citation: the words of that are in all of them
  text: [...article.children].map((part) => (part.matches("details") ? "" : part.textContent)).join(" ").toLowerCase(),
}));
const names = ["section", "verdict", "q"];

function apply() {
  const [section, verdict, q] = names.map((name) => form.elements[name].value);
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { article, text } of claims) {
    const fits =
      (!section || article.dataset.section === section) &&
      (!verdict || article.dataset.verdict === verdict) &&
      words.every((word) => text.includes(word));
    article.hidden = !fits;
    shown += fits;
  }
  for (const part of ledger.querySelectorAll(".te-claims-section")) {
    part.hidden = !part.querySelector(".te-claim:not([hidden])");
  }
  count.textContent = `${shown} of ${claims.length} claims`;
  none.hidden = shown > 0;
}

function remember() {
  const address = new URL(location.href);
  for (const name of names) {
    const value = form.elements[name].value.trim();
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.hash = "";
  history.replaceState(null, "", address);
}

function recall() {
  const query = new URLSearchParams(location.search);
  for (const name of names) form.elements[name].value = query.get(name) ?? "";
  // A select keeps an unknown value as nothing chosen: show all rather than an empty box.
  for (const name of ["section", "verdict"]) {
    if (form.elements[name].selectedIndex < 0) form.elements[name].value = "";
  }
  apply();
}

function reset() {
  for (const name of names) form.elements[name].value = "";
  apply();
  remember();
}

// A link to a claim leads to it even if the filter hides it.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.hidden || !ledger.contains(target)) return;
  const hash = location.hash;
  reset();
  history.replaceState(null, "", hash);
  target.scrollIntoView();
}

form.addEventListener("input", () => {
  apply();
  remember();
});
form.addEventListener("submit", (event) => event.preventDefault());
none.querySelector(".te-claims-reset").addEventListener("click", () => {
  reset();
  form.elements.q.focus();
});
addEventListener("popstate", recall);
addEventListener("hashchange", reveal);
form.hidden = false;
recall();
reveal();

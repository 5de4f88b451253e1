// Finds entries of search.json: findings, prices, facts, models, terms, numbers, claims.  Loaded when somebody searches.

import MiniSearch from "./minisearch/index.mjs";

const EMPTY = new Set("a an and are at by can do does for from has how i in is it its much of on or per the to versus vs what when which with".split(" "));

// Words and numbers; "3.3" and "1,155" are one word, "h100-sxm" and "break-even" are two.
const words = (text) => text.replace(/(\d),(?=\d{3})/g, "$1").match(/\d+(?:\.\d+)+\p{L}*|[\p{L}\p{N}]+/gu) ?? [];

// One spelling for a word: no plural, British "s" for American "z"; words that say nothing are left out.
function spelling(word) {
  const small = word.toLowerCase();
  if (EMPTY.has(small)) return null;
  const one = small.length > 3 && /[^su]s$/.test(small) ? small.slice(0, -1) : small;
  return one.replace(/iz(?=e|ing|ation)/, "is");
}

async function load() {
  const reply = await fetch(new URL("./search.json", import.meta.url));
  if (!reply.ok) throw new Error(`search.json: ${reply.status}`);
  const entries = await reply.json();
  const index = new MiniSearch({
    fields: ["title", "line", "words"],
    tokenize: words,
    processTerm: spelling,
    searchOptions: {
      boost: { title: 4, words: 2 },
      prefix: (term) => term.length > 1,
      weights: { prefix: 0.4, fuzzy: 0.2 },
      bm25: { k: 1.2, b: 0.3, d: 0.5 }, // a long line is not worse than a short one
      boostDocument: (place) => entries[place].rank,
    },
  });
  index.addAll(entries.map((entry, id) => ({ id, ...entry })));
  return { entries, index };
}

let loaded; // promise, once a page

// A word that may be mistyped: but H100 is not H200.
const fuzzy = (term) => (term.length > 3 && !/\d/.test(term) ? 0.25 : false);

// The entries that have all words of a query, else those with words nearly spelt so, else those with most of them; best first.
export async function find(query) {
  loaded ??= load();
  const { entries, index } = await loaded;
  for (const options of [{ combineWith: "AND" }, { combineWith: "AND", fuzzy }, { fuzzy }]) {
    const hits = index.search(query, options);
    if (hits.length) return hits.map(({ id }) => entries[id]);
  }
  return [];
}

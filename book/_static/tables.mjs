// A field above each long table that hides the rows which do not hold the words typed.

const LONG = 15;

for (const table of document.querySelectorAll("table.data-table")) {
  const rows = [...table.tBodies[0].rows];
  const facts = rows.filter((row) => !row.classList.contains("group"));
  if (facts.length <= LONG) continue;

  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("span");
  field.type = "search";
  field.placeholder = "words, e.g. h200 bandwidth";
  label.append("Find rows with ", field);
  count.setAttribute("role", "status");
  const bar = document.createElement("div");
  bar.className = "table-filter";
  bar.append(label, count);
  table.closest(".table-scroll").before(bar);

  const texts = new Map(facts.map((row) => [row, `${row.id} ${row.textContent}`.toLowerCase()]));
  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let group = null;
    for (const row of rows) {
      if (row.classList.contains("group")) {
        group = row;
        row.hidden = true;
        continue;
      }
      row.hidden = !words.every((word) => texts.get(row).includes(word));
      if (row.hidden) continue;
      shown += 1;
      if (group) group.hidden = false;
    }
    count.textContent = words.length ? `${shown} of ${facts.length} rows` : "";
  };
  field.addEventListener("input", apply);
}

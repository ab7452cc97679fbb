"use strict";
// Searches, sorts and saves the lists of examples. Without it the page is whole, and its lists are in their order.
for (const list of document.querySelectorAll(".examples")) {
  const table = list.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const search = list.querySelector("input"), group = list.querySelector("select"), told = list.querySelector(".told");
  list.querySelector(".tools").hidden = false;
  const text = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  const shown = () => rows.filter(row => !row.hidden);

  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const isOfGroup = !group.value || row.dataset.groups.split(" ").includes(group.value);
      row.hidden = !isOfGroup || !wanted.every(word => text.get(row).includes(word));
    }
    told.textContent = `${shown().length} of ${rows.length} examples shown`;
  };
  search.addEventListener("input", filter);
  group.addEventListener("change", filter);
  filter();

  const value = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value || "NaN") : cell.textContent.trim();
  };
  const compare = (one, other) => {
    if (typeof one === "string") return one.localeCompare(other);
    return Number.isNaN(one) ? 1 : Number.isNaN(other) ? -1 : one - other;
  };
  for (const button of table.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const heading = button.parentElement, falls = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
      const column = heading.cellIndex, sign = falls ? -1 : 1;
      rows.sort((one, other) => sign * compare(value(one, column), value(other, column)));
      body.append(...rows);
    });
  }

  list.querySelector(".save").addEventListener("click", () => {
    // A cell that begins like a formula would be run by a spreadsheet.
    const isFormula = cell => /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell));
    const field = cell => `"${isFormula(cell) ? "'" : ""}${cell.replaceAll('"', '""')}"`;
    const lines = [table.tHead.rows[0], ...shown()].map(row =>
      [...row.cells].map(cell => field(cell.textContent.trim())).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = list.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
// On paper there is nothing to unfold.
const folded = new Set();
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details.paper:not([open])")) { folded.add(one); one.open = true; }
});
addEventListener("afterprint", () => { for (const one of folded) one.open = false; folded.clear(); });

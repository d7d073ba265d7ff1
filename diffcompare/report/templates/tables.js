"use strict";
// Tables: sort by any column, filter by text. Only the first rows are laid out, until more are asked for.
const FIRST = 200;
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  let limit = FIRST;
  const more = document.createElement("button");
  const show = () => {
    let shown = 0;
    for (const row of body.rows) row.classList.toggle("later", !row.hidden && ++shown > limit);
    more.hidden = shown <= limit;
    more.textContent = `Show all ${shown.toLocaleString("en")} rows`;
  };
  const value = (row, k) => {
    const cell = row.cells[k], data = cell.querySelector("data");
    if (!table.tHead.rows[0].cells[k].classList.contains("n")) return cell.textContent;
    const text = data ? data.value : cell.textContent.replace("> ", "");
    return text.trim() === "" || Number.isNaN(Number(text)) ? Infinity : Number(text);
  };
  Array.from(table.tHead.rows[0].cells).forEach((head, k) => {
    if (head.className === "shape") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const rows = Array.from(body.rows, (row) => [value(row, k), row]);
      rows.sort(([a], [b]) => direction * (a < b ? -1 : a > b ? 1 : 0));
      body.append(...rows.map(([, row]) => row));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      show();
    });
  });
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  label.className = "filter";
  label.append("Filter:", input);
  input.type = "search";
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase();
    let matches = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(words);
      matches += !row.hidden;
    }
    count.textContent = words === "" ? "" : `${matches} of ${body.rows.length} rows`;
    show();
  });
  label.append(count);
  table.parentElement.before(label);
  more.type = "button";
  more.className = "more";
  more.addEventListener("click", () => {
    limit = Infinity;
    show();
  });
  table.parentElement.after(more);
  table.classList.add("ready");
  show();
}

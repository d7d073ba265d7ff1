"use strict";
// Tables: sort by any column, filter by text. Rows stand in groups, which stay together: the first row of a group may be
// its head. Only the first rows are laid out, until more are asked for.
const FIRST = 200;
for (const table of document.querySelectorAll("table.sortable")) {
  const groups = Array.from(table.tBodies, (body) => {
    const rows = Array.from(body.rows), head = rows[0]?.classList.contains("group") ? rows.shift() : null;
    return { body, head, rows };
  });
  let limit = FIRST;
  const more = document.createElement("button");
  const show = () => {
    let shown = 0;
    for (const { head, rows } of groups) {
      let here = 0;
      for (const row of rows) if (!row.classList.toggle("later", !row.hidden && ++shown > limit) && !row.hidden) ++here;
      head?.classList.toggle("later", here === 0);
    }
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
      const order = ([a], [b]) => direction * (a < b ? -1 : a > b ? 1 : 0);
      for (const group of groups) {
        const keyed = group.rows.map((row) => [value(row, k), row]).sort(order);
        group.first = keyed[0]?.[0];
        group.rows = keyed.map(([, row]) => row);
        group.body.append(...group.rows);
      }
      groups.sort((a, b) => order([a.first], [b.first]));
      table.append(...groups.map((group) => group.body));
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
    let matches = 0, total = 0;
    for (const { head, rows } of groups) {
      for (const row of rows) {
        row.hidden = !`${head?.textContent ?? ""} ${row.textContent}`.toLowerCase().includes(words);
        matches += !row.hidden;
        ++total;
      }
    }
    count.textContent = words === "" ? "" : `${matches} of ${total} rows`;
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

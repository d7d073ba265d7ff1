"use strict";
// Charts: the numbers come from the table of the page, so hover, keys and screen reader say what errors.csv holds.
// An error chart has a series for each scheme, the split chart of a scheme one for each part of the error. The lines of
// the picture of all functions bring their numbers with them.
for (const chart of document.querySelectorAll(".chart[data-rows], .overview")) {
  const svg = chart.querySelector("svg");
  const table = document.getElementById(chart.dataset.rows ?? "");
  const readout = document.getElementById(chart.dataset.readout);
  const [left, right, top, bottom, x0, x1, y0, y1, above, below, dodge] = svg.dataset.scale.split(" ").map(Number);
  const heads = Array.from(table?.tHead.rows[0].cells ?? [], (cell) => cell.textContent);
  const column = (row, name) => row.cells[heads.indexOf(name)]?.textContent ?? "";
  const parts = chart.dataset.parts?.split(" ") ?? ["abs_error"];
  const found = new Map();
  for (const line of svg.querySelectorAll("[data-points]")) {
    const numbers = line.dataset.points.split(" "), points = [];
    for (let i = 0; i < numbers.length; i += 2) points.push({ name: line.dataset.name, h: numbers[i], value: numbers[i + 1], bound: "", status: "ok", line });
    found.set(line.dataset.name, points);
  }
  for (const body of table?.tBodies ?? []) {
    const [head, ...rows] = body.rows;
    if (chart.dataset.parts && head.textContent !== chart.dataset.scheme) continue;
    for (const row of rows) {
      const h = column(row, "h");
      if (!(Number(h) > 0)) continue;
      for (const part of parts) {
        const name = chart.dataset.parts ? part : head.textContent;
        if (!found.has(name)) found.set(name, []);
        found.get(name).push({ name, h, value: column(row, part), bound: column(row, "bound"), status: column(row, "status") || "ok" });
      }
    }
  }
  const series = [...found.values()];
  series.forEach((points, k) => {
    const shift = dodge * (k - (series.length - 1) / 2);
    for (const point of points) {
      const size = point.value === "" ? NaN : Math.abs(Number(point.value));
      point.x = left + (Math.log10(Number(point.h)) - x0) / (x1 - x0) * (right - left);
      if (point.line) point.x = Math.min(right, Math.max(left, point.x));
      if (size > 0 && size < Infinity) point.y = Math.min(bottom, bottom - (Math.log10(size) - y0) / (y1 - y0) * (bottom - top));
      else point.y = (size === 0 ? below : above) + shift;
    }
    points.sort((a, b) => a.x - b.x);
  });
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("r", "7");
  let at = [0, -1];
  const off = new Set();
  const show = (k, j) => {
    const point = series[k][j];
    at = [k, j];
    cursor.setAttribute("cx", point.x);
    cursor.setAttribute("cy", point.y);
    svg.append(cursor);
    for (const line of svg.querySelectorAll(".on")) line.classList.remove("on");
    point.line?.classList.add("on");
    const value = point.value === "" ? "nan" : point.value;
    const words = chart.dataset.parts
      ? `h = ${point.h}: ${point.name} = ${value}`
      : `${point.name}: h = ${point.h}, |error| = ${value}` + (point.bound === "" ? "" : `, bound = ${point.bound}`);
    readout.textContent = words + (point.status === "ok" ? "" : ` (${point.status})`);
  };
  const nearest = (points, x) => {
    let best = 0;
    points.forEach((point, j) => { if (Math.abs(point.x - x) < Math.abs(points[best].x - x)) best = j; });
    return best;
  };
  svg.addEventListener("pointermove", (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    if (place.x < left - 8 || place.x > right + 8) return;
    let near = null;
    series.forEach((points, k) => off.has(k) || points.forEach((point, j) => {
      const distance = Math.hypot(point.x - place.x, point.y - place.y);
      if (near === null || distance < near[0]) near = [distance, k, j];
    }));
    if (near !== null) show(near[1], near[2]);
  });
  chart.addEventListener("keydown", (event) => {
    let [k, j] = at;
    if (off.size === series.length) return;
    while (off.has(k)) k = (k + 1) % series.length;
    const last = series[k].length - 1;
    if (event.key === "ArrowLeft") j = j < 0 ? last : Math.max(0, j - 1);
    else if (event.key === "ArrowRight") j = j < 0 ? 0 : Math.min(last, j + 1);
    else if (event.key === "Home") j = 0;
    else if (event.key === "End") j = last;
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const x = j < 0 ? right : series[k][j].x;
      do k = (k + (event.key === "ArrowDown" ? 1 : series.length - 1)) % series.length; while (off.has(k));
      j = nearest(series[k], x);
    } else return;
    event.preventDefault();
    show(k, j);
  });
  if (table && !chart.dataset.parts && series.length > 1) {
    const box = document.createElement("fieldset"), title = document.createElement("legend");
    box.className = "toggles";
    title.textContent = "Show in chart " + chart.getAttribute("aria-label").split(" ").pop() + ":";
    box.append(title);
    series.forEach((points, k) => {
      const label = document.createElement("label"), input = document.createElement("input"), name = document.createElement("bdi");
      input.type = "checkbox";
      input.checked = true;
      name.textContent = points[0].name;
      label.append(input, name);
      box.append(label);
      input.addEventListener("change", () => {
        input.checked ? off.delete(k) : off.add(k);
        for (const part of svg.querySelectorAll(`[data-scheme="${k}"]`)) part.classList.toggle("off", !input.checked);
        if (off.has(at[0])) cursor.remove();
      });
    });
    chart.closest(".charted").lastElementChild.prepend(box);
  }
  readout.textContent = chart.dataset.parts
    ? "Hover, or walk with the arrow keys: left and right along h, up and down between parts."
    : "Hover over the chart, or focus it and walk with the arrow keys: left and right along h, up and down between " + (table ? "schemes." : "functions.");
}

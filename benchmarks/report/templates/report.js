// Tables: a row and the detail under it move, hide and show together.
function pairs(table) {
  return [...table.tBodies[0].rows]
    .filter((row) => !row.classList.contains("detail"))
    .map((row) => {
      const next = row.nextElementSibling;
      return [row, next && next.classList.contains("detail") ? next : null];
    });
}

function sortBy(table, heading) {
  const column = heading.cellIndex;
  const numeric = heading.dataset.kind === "number";
  const first = numeric && heading.textContent !== "Rank" ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const direction = heading.getAttribute("aria-sort") === first ? second : first;
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
  const key = (row) => row.cells[column].dataset.sort;
  const sign = direction === "ascending" ? 1 : -1;
  const order = ([a], [b]) => {
    if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");
    return sign * (numeric ? key(a) - key(b) : key(a).localeCompare(key(b), "en", { numeric: true }));
  };
  const body = table.tBodies[0];
  for (const [row, detail] of pairs(table).sort(order)) {
    body.append(row);
    if (detail) body.append(detail);
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () => sortBy(table, heading));
  }
}

for (const field of document.querySelectorAll("[data-filter]")) {
  const table = document.getElementById(field.dataset.filter);
  const status = field.parentNode.querySelector("output");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let shown = 0;
    const all = pairs(table);
    for (const [row, detail] of all) {
      const fits = row.dataset.row.includes(wanted);
      row.hidden = !fits;
      shown += fits;
      const button = row.querySelector("[aria-expanded]");
      if (detail) detail.hidden = !fits || button.getAttribute("aria-expanded") !== "true";
    }
    status.textContent = wanted ? `${shown} of ${all.length}` : "";
  });
}

for (const button of document.querySelectorAll("button.expand")) {
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
  });
}

// Patients: the detail row is built when it is first asked for, from text alone.
function element(name, content, attributes = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...[content ?? []].flat());
  return node;
}

function scoreTable(facts, patient) {
  const several = facts.regions.length > 1;
  const head = ["Model", ...(several ? ["Region"] : []), ...facts.metrics];
  const rows = facts.models.flatMap((model, m) =>
    facts.regions.map((region, r) => {
      const scores = facts.scores[patient][m][r].map((value, k) =>
        element("td", value === null ? "–" : value.toFixed(facts.decimals[k])));
      const names = [element("th", model, { scope: "row" }), ...(several ? [element("td", region)] : [])];
      return element("tr", [...names, ...scores]);
    }));
  const header = element("tr", head.map((name) => element("th", name, { scope: "col" })));
  const caption = element("caption", `Scores of ${facts.patients[patient]}`, { class: "hidden" });
  return element("table", [caption, element("thead", header), element("tbody", rows)]);
}

function overlays(facts, patient) {
  const shown = facts.models.flatMap((model, m) => {
    const source = facts.pictures[`${patient}/${m}`];
    if (!source) return [];
    const alt = `${model} on ${facts.patients[patient]}: image, reference, prediction and error`;
    return [element("figure", [element("img", null, { src: source, alt }), element("figcaption", model)])];
  });
  return shown.length ? element("div", shown, { class: "overlays" })
    : element("p", "No overlays of this patient lie beside the records.");
}

for (const button of document.querySelectorAll("button.patient")) {
  button.addEventListener("click", () => {
    const row = button.closest("tr");
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    let detail = row.nextElementSibling;
    if (!detail || !detail.classList.contains("detail")) {
      const table = row.closest("table");
      const facts = JSON.parse(document.getElementById(table.dataset.details).textContent);
      const patient = Number(button.dataset.patient);
      const cell = element("td", [scoreTable(facts, patient), overlays(facts, patient)],
        { colspan: String(row.cells.length) });
      detail = element("tr", cell, { class: "detail" });
      row.after(detail);
    }
    detail.hidden = !open;
  });
}

// Hints on hover; the same numbers stand in the detail of each row for keyboard and reader.
const tip = document.getElementById("tip");
document.addEventListener("mouseover", (event) => {
  const cell = event.target.closest("[data-tip]");
  tip.hidden = !cell;
  if (!cell) return;
  tip.textContent = cell.dataset.tip;
  const box = cell.getBoundingClientRect();
  const left = Math.min(box.left, innerWidth - tip.offsetWidth - 12);
  const above = box.bottom + tip.offsetHeight + 12 > innerHeight;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${above ? box.top - tip.offsetHeight - 6 : box.bottom + 6}px`;
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentNode.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });
}

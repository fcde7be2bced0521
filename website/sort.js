// Every table of a page sorts by a click on its headings: by the first number of a cell, else by its text.
// Where there is a column of models, it stays in sight while the others scroll.
const VALUE = /[-−]?\d*\.?\d+/;

function key(row, column) {
  const text = row.cells[column].textContent.trim();
  const found = text.replace("−", "-").match(VALUE);
  return { text, number: found ? Number(found[0].replace("−", "-")) : NaN };
}

function sortBy(table, column, heading) {
  const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const numeric = [...body.rows].some((row) => /^[-−~–▲▼ ]*[+-−]?\d*\.?\d/.test(key(row, column).text));
  const order = (a, b) => {
    const [x, y] = [key(a, column), key(b, column)];
    if (!numeric) return sign * x.text.localeCompare(y.text, "en", { numeric: true });
    if (isNaN(x.number) || isNaN(y.number)) return isNaN(x.number) - isNaN(y.number);
    return sign * (x.number - y.number);
  };
  body.append(...[...body.rows].sort(order));
}

for (const cell of document.querySelectorAll("article td")) {
  if (/^[-−~▲▼+\s]*\d[\d.,]*( \[[^\]]*\])?$/.test(cell.textContent.trim())) cell.className = "number";
}

for (const table of document.querySelectorAll("article table:has(thead)")) {
  const named = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === "Model");
  if (named >= 0) for (const row of table.rows) row.cells[named].classList.add("stays");
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = document.createElement("button");
    button.className = "sort";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, column, heading));
    heading.append(button);
  });
}

"use strict";
// a head of a column sorts its table, by the raw values where the cells have them; without script nothing is lost
const known = cell => {
  const text = cell.dataset.value ?? cell.textContent.trim(), plain = text.replace(/\u2212/g, "-");
  return [text, /^[-+]?(\d|\.\d)/.test(plain) ? parseFloat(plain) : NaN];
};
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], rows = Array.from(body.rows), heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, k) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    if (!head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keys = new Map(rows.map(row => [row, known(row.cells[k])]));
      rows.sort((a, b) => {
        const [x, p] = keys.get(a), [y, q] = keys.get(b);
        if (x === "" || y === "") return (x === "") - (y === "");  // what is not known comes last
        const order = isNaN(p) || isNaN(q) ? x.localeCompare(y, "en", {numeric: true}) : p - q;
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}
// only what scrolls takes the focus
const boxes = document.querySelectorAll(".scroll, pre");
const fit = () => boxes.forEach(box => {
  box.tabIndex = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight ? 0 : -1;
});
addEventListener("resize", fit);
addEventListener("load", fit);

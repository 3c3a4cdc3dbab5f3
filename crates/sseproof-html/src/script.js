"use strict";
// Adds a filter, sorting and tooltips. Without it, the page is complete.
// It writes text only as text, and reads nothing but the page.
(() => {
  const all = (selector, of = document) => [...of.querySelectorAll(selector)];
  const make = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  // The filter: hides each element of the class "filtered" that lacks a word.
  const filtered = all(".filtered");
  const bar = document.querySelector(".bar");
  if (filtered.length > 8 && bar) {
    const label = make("label", "Filter ", { class: "filter" });
    const input = make("input", "", { type: "search", placeholder: "rule or text" });
    label.append(input);
    bar.append(label);
    const texts = filtered.map((one) => one.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      filtered.forEach((one, at) => {
        one.hidden = !words.every((word) => texts[at].includes(word));
      });
      if (words.length) all("details.many").forEach((details) => (details.open = true));
    });
  }

  // Sorting: by the number that a cell begins with, or by its text.
  all("table.sorted").forEach((table) => {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = make("button", head.textContent, { type: "button", class: "sort" });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => {
          const cell = row.cells[column];
          const text = cell ? cell.dataset.value || cell.textContent : "";
          const number = Number.parseFloat(text.replaceAll(",", ""));
          return Number.isNaN(number) ? text : number;
        };
        all("tbody", table).forEach((body) => {
          const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
          rows.sort((one, other) => {
            const [a, b] = [key(one), key(other)];
            const order = typeof a === "number" && typeof b === "number"
              ? a - b
              : String(a).localeCompare(String(b), "en");
            return down ? -order : order;
          });
          body.append(...rows);
        });
      });
    });
  });

  // Tooltips: the title of a mark of a chart, at once, and beside the pointer.
  const tip = make("div", "", { id: "tip", "aria-hidden": "true" });
  tip.hidden = true;
  document.body.append(tip);
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest && event.target.closest("svg .tip");
    const title = mark && mark.querySelector("title");
    tip.hidden = !title;
    if (!title) return;
    tip.textContent = title.textContent;
    const { innerWidth, innerHeight } = window;
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = Math.min(event.clientX + 12, innerWidth - width - 8);
    const top = Math.min(event.clientY + 14, innerHeight - height - 8);
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${Math.max(top, 8)}px`;
  });

  // On paper, all is open.
  addEventListener("beforeprint", () => all("details").forEach((one) => (one.open = true)));
  // A link leads into what is folded.
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const found = id && document.getElementById(id);
    for (let at = found; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (found) found.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();

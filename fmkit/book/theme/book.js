// Formulas: each holds its TeX in data-tex, and KaTeX fills it in.
for (const element of document.querySelectorAll(".math[data-tex]")) {
  katex.render(element.dataset.tex, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
}

// Printing shows what is folded away on the screen.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));

// ... and does not wait for pictures that nobody has scrolled to.
if (location.pathname.endsWith("/print.html")) {
  document.querySelectorAll("img").forEach((image) => (image.loading = "eager"));
}

// What a keyboard or a screen reader needs: a label with a state is a button, the bar on top is a landmark, a
// corner of a table is no heading, and what scrolls can be reached.
document.querySelector("#mdbook-sidebar-toggle")?.setAttribute("role", "button");
document.querySelector("#mdbook-menu-bar")?.setAttribute("role", "banner");
document.querySelectorAll("th:empty").forEach((corner) => corner.replaceWith(document.createElement("td")));

function reach() {
  for (const box of document.querySelectorAll("pre > code, pre.output, div.output, .math.display, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
document.fonts.ready.then(reach);
addEventListener("resize", reach);
document.addEventListener("toggle", reach, true); // what was folded away had no size

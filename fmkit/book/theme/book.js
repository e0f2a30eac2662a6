// Formulas: each holds its TeX in data-tex, and KaTeX fills it in.
for (const element of document.querySelectorAll(".math[data-tex]")) {
  katex.render(element.dataset.tex, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
}

// Printing shows what is folded away on the screen.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));

// What a keyboard or a screen reader needs: a label with a state is a button, and code that scrolls can be reached.
document.querySelector("#mdbook-sidebar-toggle")?.setAttribute("role", "button");
for (const code of document.querySelectorAll("pre > code")) {
  if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
}

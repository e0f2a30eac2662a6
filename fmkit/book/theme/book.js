// Formulas: each holds its TeX in data-tex, and KaTeX fills it in.
for (const element of document.querySelectorAll(".math[data-tex]")) {
  katex.render(element.dataset.tex, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
}

// Printing shows what is folded away on the screen.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));

// The index of mdBook's search splits words at spaces, so it finds no Chinese ones: for a query with Chinese
// characters, every page that holds it is a result.
const chinese = /[\u3400-\u9fff]/;
const wrap = (lunr) => {
  const load = lunr.Index.load;
  lunr.Index.load = (data) => {
    const index = load.call(lunr.Index, data);
    const search = index.search;
    index.search = (query, options) => {
      if (!chinese.test(query)) return search.call(index, query, options);
      const docs = Object.entries(index.documentStore.docs);
      const found = docs.filter(([, doc]) => (doc.title + doc.body).includes(query.trim()));
      return found.map(([ref, doc]) => ({ ref, doc, score: doc.title.includes(query.trim()) ? 2 : 1 }));
    };
    return index;
  };
};
if (window.elasticlunr) wrap(window.elasticlunr);
else {
  let lunr;
  Object.defineProperty(window, "elasticlunr", {
    configurable: true,
    get: () => lunr,
    set: (value) => wrap((lunr = value)),
  });
}

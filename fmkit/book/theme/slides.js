// Formulas.
for (const element of document.querySelectorAll(".math[data-tex]")) {
  katex.render(element.dataset.tex, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
}

// Fit: what is too tall is set smaller, down to 70 %; what is still too tall goes on to a slide of its own.
const WIDTH = 1280, HEIGHT = 720, INSIDE = WIDTH - 2 * 30, SMALLEST = 0.7; // 30: the padding in slides.css
const bench = document.createElement("div");
bench.className = "reveal";
bench.style.cssText = `position:absolute; left:0; top:0; width:${WIDTH}px; height:auto; visibility:hidden`;
document.body.append(bench);

function height(section) {
  const copy = section.cloneNode(true);
  copy.querySelectorAll("aside").forEach((a) => a.remove());
  const slides = document.createElement("div");
  slides.className = "slides";
  slides.style.cssText = `position:static; width:${WIDTH}px; height:auto`;
  copy.style.cssText += `; position:static; display:block; width:${WIDTH}px`;
  slides.append(copy);
  bench.replaceChildren(slides);
  const tall = copy.getBoundingClientRect().height;
  const wide = Math.max(0, ...[...copy.querySelectorAll(".math.display, table, .block")].map((e) => e.scrollWidth));
  return wide > INSIDE ? Math.max(tall, (HEIGHT * wide) / INSIDE) : tall;
}

function fit(section) {
  for (const size of [1, 0.9, 0.8, SMALLEST]) {
    section.style.fontSize = `${size}em`;
    if (height(section) <= HEIGHT) return;
  }
  const blocks = [...section.children].filter((child) => child.matches(".block"));
  if (blocks.length < 2) {
    for (const size of [0.6, 0.5, 0.42]) {
      section.style.fontSize = `${size}em`;
      if (height(section) <= HEIGHT) return;
    }
    return;
  }
  const rest = document.createElement("section");
  section.after(rest);
  while (blocks.length > 1 && height(section) > HEIGHT) rest.prepend(blocks.pop());
  section.style.fontSize = "";
  rest.querySelector(".block")?.classList.remove("fragment");
  fit(section);
  fit(rest);
}

function ready() {
  for (const section of [...document.querySelectorAll(".slides > section > section")]) fit(section);
  bench.remove();
  Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, center: false, hash: true, slideNumber: "c/t",
    transition: "none", plugins: [RevealNotes],
  });
}
// Hidden slides ask for no font, and a formula measured without its fonts has the wrong size: load them all first.
Promise.all([...document.fonts].map((font) => font.load())).then(ready);

// The timer of an exercise: a click starts it, another one stops it.
for (const button of document.querySelectorAll(".timer")) {
  let left = 60 * button.dataset.minutes, ticking = null;
  const show = () => {
    const word = ticking ? "stop" : "start";
    button.textContent = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} · ${word}` : "time is up";
    button.classList.toggle("over", left <= 0);
  };
  button.addEventListener("click", () => {
    if (ticking) ticking = clearInterval(ticking);
    else if (left > 0) ticking = setInterval(() => { left -= 1; if (left <= 0) ticking = clearInterval(ticking); show(); }, 1000);
    show();
  });
}

// Formulas.
for (const element of document.querySelectorAll(".math[data-tex]")) {
  katex.render(element.dataset.tex, element, {
    displayMode: element.classList.contains("display"),
    throwOnError: false,
  });
}

// Fit: pictures take the room that the words leave, below or beside them, whichever makes them larger. What does
// not fit is set smaller, down to 80 %; what is still too tall goes on to a slide of its own.
const WIDTH = 1280, HEIGHT = 720, SIZES = [1, 0.9, 0.8], LARGEST = 1.9; // LARGEST: how far a picture is blown up
const bench = document.createElement("div");
bench.className = "reveal";
bench.style.cssText = `position:absolute; left:0; top:0; width:${WIDTH}px; height:${HEIGHT}px; visibility:hidden`;
bench.innerHTML = `<div class="slides" style="width:${WIDTH}px; height:${HEIGHT}px"></div>`;
document.body.append(bench);

function column(name, children) {
  const div = document.createElement("div");
  div.className = name;
  div.append(...children);
  return div;
}

function arrange(section, blocks, layout, size) {
  const body = section.querySelector(".body");
  const isPicture = (block) => block.matches(".picture");
  const words = blocks.filter((block) => !isPicture(block));
  body.classList.toggle("beside", layout === "beside");
  body.replaceChildren(...(layout === "below" ? blocks : [column("words", words), column("pictures", blocks.filter(isPicture))]));
  section.style.fontSize = `${size}em`;
}

// The area of the pictures if everything fits, else -1.
function measure(section) {
  const copy = section.cloneNode(true);
  copy.style.display = "block";
  bench.firstChild.replaceChildren(copy);
  const within = (e) => e.scrollHeight <= e.clientHeight + 1 && e.scrollWidth <= e.clientWidth + 1;
  if (![...copy.querySelectorAll(".body, .words, .pictures, pre")].every(within)) return -1;
  const shown = ({offsetWidth, offsetHeight, style}) => {
    const w = style.getPropertyValue("--w"), h = style.getPropertyValue("--h");
    return w * h * Math.min(offsetWidth / w, offsetHeight / h) ** 2;
  };
  return [...copy.querySelectorAll(".picture")].reduce((sum, picture) => sum + shown(picture), 0);
}

function layouts(blocks) {
  const words = blocks.filter((block) => !block.matches(".picture, aside"));
  const narrow = words.every((block) => !block.querySelector(".code")); // code beside a picture would be broken into short lines
  return words.length && words.length < blocks.length && narrow ? ["below", "beside"] : ["below"];
}

// Code and printed numbers are set larger where no picture wants the room and no line has to be broken for it.
function enlarge(section, blocks) {
  arrange(section, blocks, "below", 1);
  section.classList.add("large");
  if (measure(section) === 0) return true;
  section.classList.remove("large");
  return false;
}

function fit(section) {
  const blocks = [...section.querySelector(".body").children];
  if (enlarge(section, blocks)) return;
  for (const size of SIZES) {
    const areas = layouts(blocks).map((layout) => {
      arrange(section, blocks, layout, size);
      return [measure(section), layout];
    });
    const [area, layout] = areas.reduce((best, other) => (other[0] > best[0] ? other : best));
    if (area < 0) continue;
    arrange(section, blocks, layout, size);
    return;
  }
  arrange(section, blocks, "below", 1);
  const movable = blocks.filter((block) => block.matches(".block"));
  if (movable.length > 1) split(section, movable);
  else for (const size of [0.7, 0.6, 0.5]) {
    section.style.fontSize = `${size}em`;
    if (measure(section) >= 0) return;
  }
}

function split(section, blocks) {
  const rest = section.cloneNode(true);
  rest.dataset.continued = true;
  const body = rest.querySelector(".body");
  body.replaceChildren(...[...body.children].filter((child) => child.matches(".step")));
  section.after(rest);
  const moved = [];
  section.style.fontSize = `${SIZES.at(-1)}em`;
  do moved.unshift(blocks.pop()), moved[0].remove();
  while (blocks.length > 1 && measure(section) < 0);
  moved[0].classList.remove("fragment");
  body.append(...moved);
  fit(section);
  fit(rest);
}

function ready() {
  for (const picture of document.querySelectorAll(".picture")) {
    const {naturalWidth: w, naturalHeight: h} = picture.firstChild;
    picture.style.cssText = `--w:${w}; --h:${h}; max-width:${LARGEST * w}px; max-height:${LARGEST * h}px; min-height:${Math.min(h, 260)}px`;
  }
  for (const section of [...document.querySelectorAll(".slides > section > section")]) fit(section);
  bench.remove();
  Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, center: false, hash: true, slideNumber: "c/t",
    navigationMode: "linear", transition: "none", pdfSeparateFragments: false, plugins: [RevealNotes],
  });
}
// A formula measured without its fonts has the wrong size, and a hidden slide asks for none: load them all first.
Promise.all([
  ...[...document.fonts].map((font) => font.load()),
  ...[...document.images].map((image) => image.decode()),
]).then(ready);

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

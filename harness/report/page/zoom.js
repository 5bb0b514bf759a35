"use strict";
// Zooms the time axis of all figures together, and shows one server alone. Without it the page is whole: the figures are
// drawn, and the controls stay hidden. It only moves what is drawn; it makes no markup from text.
(() => {
  const figures = [...document.querySelectorAll("svg[data-span]")].map(readFigure);
  const bar = document.getElementById("zoomed");
  const whole = [Math.min(...figures.map((f) => f.span[0])), Math.max(...figures.map((f) => f.span[1]))];
  let shown = whole;

  function readFigure(svg) {
    const numbers = (name) => svg.dataset[name].split(" ").map(Number);
    return {
      svg,
      span: numbers("span"),    // first and last second of the axis
      frame: numbers("frame"),  // left, right, top, bottom of the axes in the figure's own unit
      moving: [...svg.querySelectorAll(".moves > path")].map((node) => ({ node, drawn: node.getAttribute("d") })),
      markers: [...svg.querySelectorAll(".moves use")].map((node) => ({ node, drawn: Number(node.getAttribute("x")) })),
      pins: [...svg.querySelectorAll("[data-at]")].map((node) => ({ node, at: Number(node.dataset.at) })),
      ticks: [...svg.querySelectorAll("g[id*='-xtick_']")].map((node) => {
        const words = node.querySelector("text");
        return { node, words, drawn: Number(words.getAttribute("x")), text: words.textContent };
      }),
    };
  }

  const onAxis = (figure, [from, to], at) => figure.frame[0] + ((at - from) / (to - from)) * (figure.frame[1] - figure.frame[0]);
  const atAxis = (figure, [from, to], x) => from + ((x - figure.frame[0]) / (figure.frame[1] - figure.frame[0])) * (to - from);

  function draw(figure) {
    const span = shown === whole ? figure.span : shown;
    const move = (x) => onAxis(figure, span, atAxis(figure, figure.span, Number(x)));
    for (const { node, drawn } of figure.moving) {
      node.setAttribute("d", drawn.replace(/([ML]) ([-\d.e]+) /g, (_, letter, x) => `${letter} ${move(x).toFixed(2)} `));
    }
    for (const { node, drawn } of figure.markers) {
      node.setAttribute("x", move(drawn));
    }
    for (const { node, at } of figure.pins) {
      node.setAttribute("transform", `translate(${onAxis(figure, span, at) - onAxis(figure, figure.span, at)} 0)`);
      node.style.display = at < span[0] || at > span[1] ? "none" : "";
    }
    drawTicks(figure, span);
  }

  function drawTicks(figure, span) {
    const { step, first, count } = shown === whole ? { count: figure.ticks.length } : niceTicks(span, figure.ticks.length);
    figure.ticks.forEach(({ node, words, drawn, text }, place) => {
      const at = shown === whole ? null : first + place * step;
      node.style.display = place < count ? "" : "none";
      node.setAttribute("transform", at === null ? "" : `translate(${onAxis(figure, span, at) - drawn} 0)`);
      words.textContent = at === null ? text : figureOf(at, step);
    });
  }

  function niceTicks([from, to], most) {
    let step = 10 ** Math.floor(Math.log10(to - from) - 1);
    for (let turn = 0; ; turn += 1) {
      const first = Math.ceil(from / step - 1e-9) * step;
      const count = Math.floor((to - first) / step + 1e-9) + 1;
      if (count <= most || turn > 20) return { step, first, count };
      step *= [2, 2.5, 2][turn % 3];
    }
  }

  const figureOf = (at, step = 0.1) => at.toFixed(step >= 1 ? 0 : step >= 0.1 ? 1 : 2).replace(/^-0(\.0+)?$/, "0").replace("-", "−");

  function show(from, to) {
    const width = Math.min(Math.max(to - from, Math.min(1, whole[1] - whole[0])), whole[1] - whole[0]);
    const begin = Math.min(Math.max(from, whole[0]), whole[1] - width);
    shown = width >= whole[1] - whole[0] ? whole : [begin, begin + width];
    figures.forEach(draw);
    bar.hidden = shown === whole;
    bar.querySelector("output").textContent = shown === whole ? "" : `${figureOf(shown[0])} to ${figureOf(shown[1])} s`;
  }

  const reset = () => show(...whole);

  function scale(times) {
    const middle = (shown[0] + shown[1]) / 2, half = ((shown[1] - shown[0]) / 2) * times;
    show(middle - half, middle + half);
  }

  function slide(share) {
    const by = (shown[1] - shown[0]) * share;
    show(shown[0] + by, shown[1] + by);
  }

  const keys = {
    "+": () => scale(0.5), "=": () => scale(0.5), "-": () => scale(2),
    ArrowLeft: () => slide(-0.25), ArrowRight: () => slide(0.25), Escape: reset, 0: reset,
  };

  function makeZoomable(figure) {
    const { svg, frame } = figure;
    const box = document.createElementNS(svg.namespaceURI, "rect");
    let begun = null;
    const place = (event) => {
      const seen = svg.getBoundingClientRect();
      const x = ((event.clientX - seen.left) / seen.width) * svg.viewBox.baseVal.width;
      return Math.min(Math.max(x, frame[0]), frame[1]);
    };
    const choose = (to) => {
      box.setAttribute("x", Math.min(begun, to));
      box.setAttribute("width", Math.abs(to - begun));
    };
    const end = () => { begun = null; box.remove(); };
    box.setAttribute("class", "chosen");
    box.setAttribute("y", frame[2]);
    box.setAttribute("height", frame[3] - frame[2]);
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-describedby", "zoom-help");
    svg.classList.add("zooms");
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      begun = place(event);
      choose(begun);
      svg.append(box);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => { if (begun !== null) choose(place(event)); });
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("pointerup", (event) => {
      if (begun === null) return;
      const span = shown === whole ? figure.span : shown;
      const ends = [begun, place(event)].sort((a, b) => a - b);
      end();
      if (ends[1] - ends[0] > 6) show(...ends.map((x) => atAxis(figure, span, x)));
    });
    svg.addEventListener("dblclick", reset);
    svg.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  function filterServers(choice) {
    const names = [...choice.options].map((option) => option.value).filter((name) => name);
    const rows = [...document.querySelectorAll("tbody tr")].filter((row) => names.includes(row.cells[0].textContent.trim()));
    choice.addEventListener("change", () => {
      const other = (name) => choice.value !== "" && name !== choice.value;
      for (const row of rows) row.hidden = other(row.cells[0].textContent.trim());
      for (const line of document.querySelectorAll("[data-server]")) line.style.display = other(line.dataset.server) ? "none" : "";
    });
  }

  if (figures.length) {
    figures.forEach(makeZoomable);
    bar.querySelector("button").addEventListener("click", reset);
    document.getElementById("zoom-help").hidden = false;
  }
  for (const choice of document.querySelectorAll("#servers-shown select")) {
    filterServers(choice);
    document.getElementById("servers-shown").hidden = false;
  }
})();

/* Plots over the last 15 minutes: lines, or bars in stacks. Drawn in pixels of the width that there is. */

const PLOT = {height: 118, top: 14, bottom: 18, left: 0, right: 2};

/* The least round number that is not below value, whose half is round, too. */
function niceMaximum(value, least) {
  if (!(value > least)) return least;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= value * 0.9999);
}

function drawGrid(plot, max) {
  return [0, 0.5, 1].map((part) => makeSvg("line", {class: "grid", x1: 0, x2: plot.width, y1: plot.y(part * max), y2: plot.y(part * max)}));
}

function drawLabels(plot, max, format) {
  const {spanMs, x, y} = plot;
  const nodes = [0.5, 1].map((part) => makeSvg("text", {x: 0, y: y(part * max) - 3}, format(part * max)));
  for (const part of [1, 2 / 3, 1 / 3, 0]) {
    const minutes = Math.round(spanMs * part / 60000);
    const anchor = part === 1 ? "start" : part === 0 ? "end" : "middle";
    nodes.push(makeSvg("text", {x: x(part * spanMs), y: PLOT.height - 4, "text-anchor": anchor},
      part === 1 ? minutes + " min ago" : minutes ? minutes + " min" : "now"));
  }
  return nodes;
}

/* Pieces of a line between the gaps, where a value is null. */
function splitLine(values) {
  const pieces = [];
  let piece = [];
  values.forEach((value, at) => {
    if (value !== null) piece.push(at);
    if ((value === null || at === values.length - 1) && piece.length) {
      pieces.push(piece);
      piece = [];
    }
  });
  return pieces;
}

function drawLine(plot, ages, values, className) {
  const nodes = [];
  for (const piece of splitLine(values)) {
    const points = piece.map((at) => plot.x(ages[at]).toFixed(1) + " " + plot.y(values[at]).toFixed(1));
    const first = plot.x(ages[piece[0]]).toFixed(1), last = plot.x(ages[piece[piece.length - 1]]).toFixed(1);
    nodes.push(makeSvg("path", {class: "area " + className, d: `M${first} ${plot.y(0)}L${points.join("L")}L${last} ${plot.y(0)}Z`}));
    nodes.push(makeSvg("path", {class: "line " + className, d: "M" + points.join("L") + (points.length === 1 ? "h0" : "")}));
  }
  return nodes;
}

/* The series stand upon each other; each value has the width of one step. */
function drawBars(plot, ages, series, stepMs) {
  const heights = ages.map(() => 0), nodes = [];
  const width = Math.max(1, plot.x(0) - plot.x(stepMs) - 1.5);
  for (const one of series) {
    let path = "";
    one.values.forEach((value, at) => {
      if (!value) return;
      const low = plot.y(heights[at]), high = plot.y(heights[at] += value);
      path += `M${(plot.x(ages[at]) - width).toFixed(1)} ${low.toFixed(1)}V${Math.min(high, low - 1).toFixed(1)}h${width.toFixed(1)}V${low.toFixed(1)}Z`;
    });
    if (path) nodes.push(makeSvg("path", {class: "bars " + one.className, d: path}));
  }
  return nodes;
}

function highest(data, stacked) {
  const sums = data.ages.map((age, at) => {
    const values = data.series.map((one) => one.values[at] || 0);
    return stacked ? values.reduce((a, b) => a + b, 0) : Math.max(0, ...values);
  });
  return Math.max(0, ...sums);
}

/* Follows the pointer and the arrow keys; choose(at) is called with an index of the samples, or null. */
function watchCursor(svg, count, indexAt, choose) {
  let at = null;
  const set = (next) => choose(at = next === null ? null : Math.min(count() - 1, Math.max(0, next)));
  svg.addEventListener("pointermove", (event) => set(indexAt(event.clientX - svg.getBoundingClientRect().left)));
  svg.addEventListener("pointerleave", () => set(null));
  svg.addEventListener("blur", () => set(null));
  svg.addEventListener("keydown", (event) => {
    const from = at === null ? count() - 1 : at;
    const next = {ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: count() - 1, Escape: null}[event.key];
    if (next === undefined || !count()) return;
    event.preventDefault();
    set(next);
  });
}

function describe(title, data, format) {
  const parts = data.series.map((one) => {
    const known = one.values.filter((value) => value !== null);
    if (!known.length) return one.label + ": no samples yet";
    return `${one.label}: now ${format(known[known.length - 1])}, at most ${format(Math.max(...known))}`;
  });
  return `${title}, last 15 minutes. ${parts.join("; ")}. The arrow keys show single samples.`;
}

/*
 * options: title, format (of a value), least (of the axis), stacked, onChoose(at or null).
 * update({ages, series: [{label, className, values}], spanMs, stepMs}) draws; ages are ms before now, and the
 * newest is the last one.
 */
function createPlot(options) {
  const svg = makeSvg("svg", {class: "plot", height: PLOT.height, role: "img", tabindex: "0"});
  let data = null, chosen = null;

  function scales() {
    const width = svg.clientWidth || 300, inner = width - PLOT.left - PLOT.right;
    const max = niceMaximum(highest(data, options.stacked), options.least || 1);
    return {
      width, max, spanMs: data.spanMs,
      x: (age) => PLOT.left + inner * (1 - age / data.spanMs),
      y: (value) => PLOT.height - PLOT.bottom - (PLOT.height - PLOT.top - PLOT.bottom) * value / max,
    };
  }
  function draw() {
    if (!data) return;
    const plot = scales();
    const marks = options.stacked ? drawBars(plot, data.ages, data.series, data.stepMs)
      : data.series.flatMap((one) => drawLine(plot, data.ages, one.values, one.className));
    svg.setAttribute("viewBox", `0 0 ${plot.width} ${PLOT.height}`);
    svg.replaceChildren(...drawGrid(plot, plot.max), ...marks, ...drawLabels(plot, plot.max, options.format));
    if (chosen !== null && chosen < data.ages.length) {
      const x = plot.x(data.ages[chosen]);
      svg.append(makeSvg("line", {class: "cursor", x1: x, x2: x, y1: PLOT.top, y2: PLOT.height - PLOT.bottom}));
    }
  }
  function indexAt(px) {
    const age = data ? (1 - px / (svg.clientWidth || 1)) * data.spanMs : 0;
    let best = 0;
    data.ages.forEach((one, at) => { if (Math.abs(one - age) < Math.abs(data.ages[best] - age)) best = at; });
    return best;
  }
  watchCursor(svg, () => data ? data.ages.length : 0, indexAt, (at) => {
    chosen = at;
    draw();
    if (options.onChoose) options.onChoose(at);
  });
  new ResizeObserver(draw).observe(svg);
  return {
    node: svg,
    update(next) {
      data = next;
      svg.setAttribute("aria-label", describe(options.title, data, options.format));
      draw();
    },
  };
}

/* A card with the present value, a legend that follows the cursor, and a plot. */
function createChart(options) {
  const now = make("p", {class: "now"}, "–"), legend = make("p", {class: "legend"});
  const plot = createPlot({...options, onChoose: (at) => { chosen = at; write(); }});
  const node = make("div", {class: "card chart"}, make("h3", {}, options.title), now, legend, plot.node);
  let data = null, chosen = null;

  function valueAt(one, at) {
    const value = one.values[at];
    return value === null || value === undefined ? "–" : options.format(value);
  }
  function write() {
    const last = data.ages.length - 1, at = chosen === null ? last : Math.min(chosen, last);
    const parts = data.series.map((one) => make("span", {},
      make("i", {class: "swatch " + one.className, "aria-hidden": "true"}), one.label + " ", make("b", {}, valueAt(one, at))));
    if (chosen !== null && last >= 0) parts.push(make("span", {}, formatAgo(data.ages[at])));
    legend.replaceChildren(...parts);
  }
  return {
    node,
    update(next, headline) {
      data = next;
      setText(now, headline);
      plot.update(next);
      write();
    },
  };
}

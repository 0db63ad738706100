/* The notices, the four plots, the losses, and the balance of the ledger. */

const LOSS_SPANS = 60, LOSS_CLASSES = ["c1", "c4", "c5", "c2", "c7", "c3", "c6", "c0"];

/* Two states of the agent make a rate; null without the first. */
function createMeter() {
  let before = null;
  return function rate(uptimeMs, value) {
    const last = before;
    before = {uptimeMs, value};
    if (!last || uptimeMs <= last.uptimeMs || value < last.value) return null;
    return (value - last.value) * 1000 / (uptimeMs - last.uptimeMs);
  };
}

function createCharts() {
  const charts = {
    packets: createChart({title: "Packets", format: formatRate}),
    bytes: createChart({title: "Traffic", format: formatBits, least: 1000}),
    flows: createChart({title: "Open flows", format: formatCount}),
    records: createChart({title: "Records", format: formatRate}),
  };
  byId("charts").append(...Object.values(charts).map((chart) => chart.node));
  return charts;
}

function createOverview() {
  const charts = createCharts();
  const lossPlot = createPlot({title: "Losses", format: formatCount, stacked: true});
  const meters = {packets: createMeter(), bytes: createMeter(), records: createMeter()};
  const now = {packets: null, bytes: null, flows: null, records: null};
  byId("loss-chart").append(lossPlot.node);

  /* Before there are two states, the newest sample tells. */
  function headline(value, format, ...lists) {
    const last = lists.map((list) => list.length ? list[list.length - 1] : null);
    const known = value === null && last.every((one) => one !== null) ? last.reduce((a, b) => a + b, 0) : value;
    return known === null ? "–" : format(known);
  }
  function drawCharts(kept) {
    const lists = kept.lists;
    const data = (series) => ({ages: agesOf(kept), spanMs: kept.spanMs, stepMs: kept.stepMs,
      series: series.map(([label, values], at) => ({label, values, className: "c" + at}))});
    const rates = Object.fromEntries(LISTS.map((name) => [name, ratesOf(kept, lists[name])]));
    const bits = [rates.ingress_bytes, rates.egress_bytes].map((list) => list.map((value) => value === null ? null : value * 8));
    charts.packets.update(data([["In", rates.ingress_packets], ["Out", rates.egress_packets]]),
      headline(now.packets, formatRate, rates.ingress_packets, rates.egress_packets));
    charts.bytes.update(data([["In", bits[0]], ["Out", bits[1]]]), headline(now.bytes, formatBits, ...bits));
    charts.flows.update(data([["Open", lists.flows]]), headline(now.flows, formatCount));
    charts.records.update(data([["Made", rates.records], ["Delivered, all sinks", rates.delivered]]),
      headline(now.records, formatRate, rates.records));
  }
  return {
    takeStatus(status) {
      const {packets, bytes} = status.ledger;
      now.packets = meters.packets(status.uptime_ms, packets.seen);
      now.bytes = meters.bytes(status.uptime_ms, 8 * bytes.seen);
      now.records = meters.records(status.uptime_ms, status.ledger.records);
      now.flows = status.flows.active;
      drawBalance(status.ledger);
    },
    draw(kept) {
      drawCharts(kept);
      drawLosses(lossPlot, kept);
    },
  };
}

function drawLosses(plot, kept) {
  const losses = lossesOf(kept), stepMs = kept.spanMs / LOSS_SPANS;
  const named = losses.map((loss, at) => ({...loss, className: LOSS_CLASSES[at % LOSS_CLASSES.length]}));
  plot.update({
    ages: Array.from({length: LOSS_SPANS}, (none, at) => (LOSS_SPANS - 1 - at) * stepMs),
    spanMs: kept.spanMs, stepMs,
    series: named.map((loss) => ({label: formatName(loss.reason), className: loss.className, values: spansOf(kept, loss.list, LOSS_SPANS)})),
  });
  plot.node.style.display = losses.length ? "" : "none";
  const rows = named.map((loss) => make("li", {},
    make("i", {class: "swatch " + loss.className, "aria-hidden": "true"}), make("span", {class: "what"}, formatName(loss.reason)),
    make("span", {class: "amount"}, formatExact(loss.lost) + " " + loss.what)));
  if (!rows.length) rows.push(make("li", {}, make("span", {class: "calm"}, "Nothing was lost in the last 15 minutes.")));
  byId("loss-reasons").replaceChildren(...rows);
}

function sumOf(counts) {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function drawBalance(ledger) {
  const {packets, bytes} = ledger;
  const rows = [
    ["Seen", packets.seen, bytes.seen, ""],
    ["Recorded", packets.recorded, bytes.recorded, "c0"],
    ["Held", packets.held, bytes.held, "c3"],
    ["Filtered", packets.filtered, bytes.filtered, "c2"],
    ...(packets.not_on_wire ? [["Not on the wire", packets.not_on_wire, bytes.not_on_wire, "c2"]] : []),
    ["Lost", sumOf(packets.lost), sumOf(bytes.lost), "c1"],
  ];
  const state = byId("balance-state");
  setText(state, ledger.balance === "ok" ? "adds up" : "does not add up");
  setClass(state, "tag " + (ledger.balance === "ok" ? "good" : "bad"));
  byId("balance-rows").replaceChildren(...rows.map(([name, count, size, className]) => make("tr", {},
    make("th", {scope: "row"}, ...(className ? [make("i", {class: "swatch " + className, "aria-hidden": "true"})] : []), name),
    make("td", {class: "number"}, formatExact(count)), make("td", {class: "number"}, formatBytes(size)))));
  byId("shares").replaceChildren(...rows.slice(1).map(([name, count, size, className]) => {
    const share = make("span", {class: className});
    share.style.flexGrow = packets.seen ? count / packets.seen : 0;
    return share;
  }));
}

/* What a person should look at: [class, text] each, the worst first. */
function listNotices(status, kept) {
  const bad = [], warn = [], losses = lossesOf(kept);
  if (!status.ready) bad.push("Not ready: " + status.not_ready);
  for (const hook of status.hooks) {
    if (!hook.up && !status.not_ready.includes(hook.problem)) bad.push(hook.problem);
  }
  for (const sink of status.sinks) {
    if (sinkState(sink) === "Down" && !(status.not_ready.includes("sink " + sink.name)))
      bad.push(`Sink ${sink.name} is down: ${sink.last_error || "nothing is delivered"}`);
    if (sink.balance !== "ok") bad.push(`The records of sink ${sink.name} do not add up.`);
  }
  if (status.ledger.balance !== "ok") bad.push("The packets do not add up.");
  if (losses.length) {
    warn.push("Lost in the last 15 minutes: " + losses.map((loss) =>
      `${formatExact(loss.lost)} ${loss.what} (${formatName(loss.reason)})`).join(", "));
  }
  if (!status.config_reloads.last_successful) warn.push("The last reload of the configuration failed; the old one is in use.");
  if (status.config_reloads.pending_restart) warn.push(`${status.config_reloads.pending_restart} changed keys wait for a restart.`);
  if (status.metadata.imds === "failing") warn.push("Metadata cannot be read: " + status.metadata.last_error);
  return [...bad.map((text) => ["bad", text]), ...warn.map((text) => ["warn", text])];
}

const showNotices = createList(document.querySelector("#notices ul"), (notice) => notice.join(" "), function create() {
  const node = make("li");
  return {node, update([className, text]) { setClass(node, className); setText(node, text); }};
});

/* A card for each sink. */

/* Idle: nothing was delivered yet, and nothing has failed. */
function sinkState(sink) {
  if (sink.up) return "Up";
  return sink.delivered || sink.last_error ? "Down" : "Idle";
}

const STATE_CLASSES = {Up: "good", Down: "bad", Idle: ""};

function createMeterRow(label) {
  const bar = make("i"), amount = make("span", {class: "muted"});
  return {
    node: make("div", {class: "meter"}, make("span", {}, label), make("div", {class: "track", "aria-hidden": "true"}, bar), amount),
    update(used, capacity) {
      bar.style.width = capacity ? Math.min(100, used * 100 / capacity) + "%" : "0";
      setClass(bar, capacity && used > capacity * 0.8 ? "full" : "");
      setText(amount, capacity ? `${formatBytes(used)} of ${formatBytes(capacity)}` : used ? formatBytes(used) : "off");
    },
  };
}

function createFigures() {
  const node = make("dl", {class: "figures"});
  const update = createList(node, (row) => row[0], function create() {
    const term = make("dt"), value = make("dd");
    return {node: make("div", {}, term, value), update(row) { setText(term, row[0]); setText(value, row[1]); }};
  });
  return {node, update};
}

function figuresOf(sink, nowMs) {
  return [
    ["Last delivery", sink.last_delivery_ms ? formatAgo(nowMs - sink.last_delivery_ms) : "none yet"],
    ["Oldest waiting", sink.oldest_record_age_ms ? formatWait(sink.oldest_record_age_ms) : "–"],
    ["In flight", formatExact(sink.in_flight)],
    ["Delivered", formatExact(sink.delivered)],
    ["Rejected", formatExact(sink.rejected)],
    ["Retries", formatExact(sink.retries)],
    ...(sink.filtered ? [["Filtered", formatExact(sink.filtered)]] : []),
    ...Object.entries(sink.lost).filter(([reason, lost]) => lost > 0)
      .map(([reason, lost]) => ["Lost: " + formatName(reason), formatExact(lost)]),
  ];
}

function errorHeading(sink, nowMs) {
  const when = sink.last_error_ms ? ", " + formatAgo(nowMs - sink.last_error_ms) : "";
  return "Last error" + when + (sink.up ? ", before the last delivery" : "");
}

function createSinkCard() {
  const name = make("h3"), type = make("span", {class: "muted small"}), state = make("span", {class: "pill"});
  const queue = createMeterRow("Queue"), spool = createMeterRow("Spool"), figures = createFigures();
  const errorTitle = make("b"), errorText = make("span"), error = make("div", {class: "last-error"}, errorTitle, errorText);
  const facts = make("dl"), updateFacts = createFacts(facts), more = make("details", {}, make("summary", {}, "Details"), facts);
  return {
    node: make("article", {class: "card sink"}, make("div", {class: "head"}, name, type, state), queue.node, spool.node,
      figures.node, error, more),
    update({sink, nowMs}) {
      const is = sinkState(sink), rows = Object.entries(sink.facts);
      setText(name, sink.name);
      setText(type, sink.type);
      setText(state, is);
      setClass(state, "pill " + STATE_CLASSES[is]);
      queue.update(sink.queue_bytes, sink.queue_capacity_bytes);
      spool.update(sink.spool_bytes, sink.spool_capacity_bytes);
      figures.update(figuresOf(sink, nowMs));
      setText(errorTitle, errorHeading(sink, nowMs));
      setText(errorText, sink.last_error);
      setClass(error, sink.up ? "last-error" : "last-error bad");
      error.hidden = !sink.last_error;
      updateFacts(rows.map(([key, value]) => [formatName(key), value]));
      more.hidden = !rows.length;
    },
  };
}

const showSinks = createList(byId("sink-cards"), (row) => row.sink.name, createSinkCard);

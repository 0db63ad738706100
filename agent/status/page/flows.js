/* The table of flows, with its filter and its order. */

const FLOWS_ASKED = 200;

const COLUMNS = [
  {id: "interface", label: "Interface", text: (flow) => flow.interface || "–", className: "device", order: (flow) => flow.interface},
  {id: "direction", label: "Direction", text: (flow) => flow.direction === "egress" ? "out" : "in"},
  {id: "protocol", label: "Protocol", text: protocolText, order: (flow) => flow.protocol},
  {id: "source", label: "Source", text: (flow) => formatEnd(flow.srcaddr, flow.srcport), className: "address", order: addressOrder("srcaddr")},
  {id: "destination", label: "Destination", text: (flow) => formatEnd(flow.dstaddr, flow.dstport), className: "address", order: addressOrder("dstaddr")},
  {id: "rate", label: "Rate", text: (flow) => formatBits(flow.rate), className: "number", order: (flow) => flow.rate, down: true},
  {id: "packets", label: "Packets", text: (flow) => formatCount(flow.packets), className: "number", order: (flow) => flow.packets, down: true},
  {id: "bytes", label: "Bytes", text: (flow) => formatBytes(flow.bytes), className: "number", order: (flow) => flow.bytes, down: true},
  {id: "age", label: "Age", text: (flow) => formatDuration(flow.age), className: "number", order: (flow) => flow.age, down: true},
];

/* The name of the service: of both ports the one that has a name, and of two names that of the lower number. */
function serviceName(flow) {
  const nameOf = (port) => PORTS.get(flow.protocol + "/" + port);
  return nameOf(Math.min(flow.srcport, flow.dstport)) || nameOf(Math.max(flow.srcport, flow.dstport)) || "";
}

function protocolText(flow) {
  const name = formatProtocol(flow.protocol);
  if (flow.icmp_type !== undefined) return `${name} ${flow.icmp_type}/${flow.icmp_code}`;
  const more = [serviceName(flow), flow.tcp_flags_raw ? `[${formatFlags(flow.tcp_flags_raw)}]` : "", flow.encapsulated ? "tunnel" : ""];
  return [name, ...more.filter(Boolean)].join(" ");
}

/* Numbers in a text count as numbers: 10.0.0.9 before 10.0.0.10. */
function addressOrder(field) {
  return (flow) => flow[field].split(/[.:]/).map((part) => part.padStart(5, "0")).join(".");
}

function keyOfFlow(flow) {
  return [flow.interface, flow.direction, flow.protocol, flow.srcaddr, flow.srcport, flow.dstaddr, flow.dstport,
    flow.icmp_type, flow.icmp_code, flow.encapsulated].join(" ");
}

/* Adds age, and rate: since the last answer, or over the flow's time when it is new. */
function createFlowRates() {
  let before = new Map(), beforeMs = 0;
  return function measure(answer) {
    const next = new Map();
    for (const flow of answer.flows) {
      const key = keyOfFlow(flow), last = before.get(key);
      flow.key = key;
      flow.age = Math.max(0, answer.time_ms - flow.start_ms);
      const same = last && last.start_ms === flow.start_ms && answer.time_ms > beforeMs && flow.bytes >= last.bytes;
      flow.rate = same ? (flow.bytes - last.bytes) * 8000 / (answer.time_ms - beforeMs) : flow.bytes * 8000 / Math.max(1000, flow.age);
      next.set(key, flow);
    }
    before = next;
    beforeMs = answer.time_ms;
  };
}

function createFlowRow() {
  const cells = COLUMNS.map((column) => make("td", {class: column.className, "data-label": column.label}));
  return {
    node: make("tr", {}, ...cells),
    update(flow) { COLUMNS.forEach((column, at) => setText(cells[at], column.text(flow))); },
  };
}

function sortFlows(flows, column, down) {
  const sign = down ? -1 : 1;
  return [...flows].sort((a, b) => {
    const x = column.order(a), y = column.order(b);
    return x < y ? -sign : x > y ? sign : a.key < b.key ? -1 : 1;
  });
}

/* changed(): the next answer should come now. The filter and the order stand in the page's address. */
function createFlows(changed) {
  const filter = byId("filter"), sort = byId("sort"), rows = byId("rows"), error = byId("filter-error");
  const measure = createFlowRates(), headings = new Map();
  const showRows = createList(byId("flow-rows"), (flow) => flow.key, createFlowRow);
  let flows = null, active = 0, down = true, wait = 0;

  const columnOf = (id) => COLUMNS.find((column) => column.id === id);

  function draw() {
    for (const [id, heading] of headings) {
      if (id === sort.value) heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    if (!flows) return;
    const shown = sortFlows(flows, columnOf(sort.value), down).slice(0, Number(rows.value));
    const words = filter.value.trim() ? "No open flow matches the filter." : "No flow is open.";
    showRows(shown);
    byId("flow-empty").hidden = shown.length > 0;
    setText(byId("flow-empty"), words);
    setText(byId("flow-note"), shown.length ? `${shown.length} of ${formatExact(active)} open flows.` : "");
  }
  function remember() {
    const words = new URLSearchParams({filter: filter.value.trim(), sort: sort.value, order: down ? "down" : "up", rows: rows.value});
    history.replaceState(null, "", location.pathname + "?" + words + location.hash);
  }
  function recall() {
    const words = new URLSearchParams(location.search);
    filter.value = words.get("filter") || "";
    if (columnOf(words.get("sort"))?.order) sort.value = words.get("sort");
    if (window.matchMedia("(max-width: 760px)").matches) rows.value = "10";
    if (["10", "20", "50", "200"].includes(words.get("rows"))) rows.value = words.get("rows");
    down = words.get("order") ? words.get("order") === "down" : Boolean(columnOf(sort.value).down);
  }
  function reorder(id, downwards) {
    sort.value = id;
    down = downwards;
    draw();
    remember();
    changed();
  }
  for (const column of COLUMNS) {
    const heading = make("th", {scope: "col", class: column.className === "number" ? "number" : undefined});
    if (column.order) {
      const button = make("button", {type: "button"}, column.label);
      button.addEventListener("click", () => reorder(column.id, sort.value === column.id ? !down : Boolean(column.down)));
      heading.append(button);
      headings.set(column.id, heading);
    } else heading.append(column.label);
    byId("flow-head").append(heading);
  }
  function refilter() {
    clearTimeout(wait);
    remember();
    changed();
  }
  filter.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(refilter, 400); });
  sort.addEventListener("change", () => reorder(sort.value, Boolean(columnOf(sort.value).down)));
  rows.addEventListener("change", () => { draw(); remember(); });
  byId("flow-form").addEventListener("submit", (event) => { event.preventDefault(); refilter(); });
  recall();
  draw();
  return {
    path() {
      const words = new URLSearchParams({n: FLOWS_ASKED, sort: sort.value === "packets" ? "packets" : "bytes"});
      if (filter.value.trim()) words.set("filter", filter.value.trim());
      return "/flows?" + words;
    },
    take(answer) {
      measure(answer);
      ({flows, active} = answer);
      setText(error, "");
      filter.removeAttribute("aria-invalid");
      draw();
    },
    /* The agent refuses the filter, and says where it is wrong. */
    refuse(text) {
      setText(error, text);
      filter.setAttribute("aria-invalid", "true");
      flows = [];
      draw();
      byId("flow-empty").hidden = true;
    },
  };
}

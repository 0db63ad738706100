/* The hooks, and what the agent says of itself. */

const HOOK_LABELS = ["Interface", "Direction", "Hook", "State", "Packets", "Bytes", "Why"];
const HOOK_CLASSES = ["device", "", "", "", "number", "number", "why"];

function hookTexts(hook, amounts) {
  const amount = amounts.get(hook.interface + " " + hook.direction) || {packets: 0, bytes: 0};
  return [hook.interface, hook.direction, hook.hook, hook.up ? "Sees packets" : "Off", formatExact(amount.packets), formatBytes(amount.bytes)];
}

function createHookRow() {
  const cells = HOOK_LABELS.map((label, at) => make("td", {class: HOOK_CLASSES[at] || undefined, "data-label": label}));
  const pill = make("span"), why = make("span"), more = make("span", {class: "sub"});
  cells[3].append(pill);
  cells[6].append(why, more);
  return {
    node: make("tr", {}, ...cells),
    update({hook, amounts}) {
      const texts = hookTexts(hook, amounts);
      texts.forEach((text, at) => { if (at !== 3) setText(cells[at], text); });
      setText(pill, texts[3]);
      setClass(pill, "tag " + (hook.up ? "good" : "bad"));
      setText(why, hook.up ? hook.why : hook.problem);
      const backs = hook.put_back ? `; put back ${hook.put_back} times` : "";
      setText(more, `selected by ${hook.selected_by}${backs}`);
    },
  };
}

const showHookRows = createList(byId("hook-rows"), ({hook}) => hook.ifindex + hook.direction + hook.hook, createHookRow);

function showHooks(status) {
  const amounts = new Map();
  for (const device of status.interfaces) {
    amounts.set(device.interface + " ingress", device.ingress);
    amounts.set(device.interface + " egress", device.egress);
  }
  showHookRows(status.hooks.map((hook) => ({hook, amounts})));
  byId("hook-empty").hidden = status.hooks.length > 0;
}

const showProgram = createFacts(byId("program")), showMetadata = createFacts(byId("metadata")), showKernel = createFacts(byId("kernel"));

function programFacts(status) {
  const {config_reloads: reloads} = status;
  return [
    ["Version", `${status.version} (${status.commit})`],
    ["Agent id", status.agent_id],
    ["Configuration", status.config_file || "built-in defaults"],
    ["Stage", status.stage],
    ["Started", formatTime(status.start_ms)],
    ["Up for", formatDuration(status.uptime_ms)],
    ["Flow table", `${formatExact(status.flows.active)} of ${formatExact(status.flows.capacity)}`],
    ["Reloads", `${reloads.success} done, ${reloads.failure} failed`],
    ["Log lines lost", status.log_lines_lost ? formatExact(status.log_lines_lost) : ""],
  ];
}

function metadataFacts(metadata) {
  const errors = Object.entries(metadata.errors).filter(([reason, count]) => count > 0)
    .map(([reason, count]) => `${formatName(reason)} ${formatExact(count)}`);
  return [
    ["Instance metadata", metadata.imds],
    ["Endpoint", metadata.endpoint],
    ["Age", metadata.age_ms === undefined ? "never read" : formatDuration(metadata.age_ms)],
    ["Account", metadata.account_id],
    ["Instance", metadata.instance_id],
    ["Region", metadata.region],
    ["Zone", [metadata.az, metadata.az_id].filter(Boolean).join(", ")],
    ["Last error", metadata.last_error],
    ["Errors", errors.join(", ")],
  ];
}

function kernelFacts(kernel, ledger) {
  const programs = kernel.programs.filter((program) => program.runs)
    .map((program) => [program.program, `${Math.round(program.run_ns / program.runs)} ns a packet`]);
  const events = Object.entries(kernel.ring_events).map(([kind, count]) => `${formatName(kind)} ${formatExact(count)}`);
  return [
    ["Table", `${formatExact(kernel.table_entries)} flows, ${kernel.cpus_with_room} CPUs`],
    ["Ring", formatBytes(kernel.ring_bytes)],
    ["Ring events", events.join(", ")],
    ["Drain", kernel.drains ? `${(kernel.drains_ns / kernel.drains / 1e6).toFixed(1)} ms on average` : ""],
    ["Clock", kernel.clock],
    ["Grace period", kernel.grace_period],
    ...programs,
    ["Frames not IP", formatExact(ledger.not_ip_frames)],
    ["Not sampled", ledger.not_sampled ? formatExact(ledger.not_sampled) : ""],
  ];
}

function showAgent(status) {
  const name = status.metadata.instance_id || status.agent_id;
  showProgram(programFacts(status));
  showMetadata(metadataFacts(status.metadata));
  showKernel(kernelFacts(status.kernel, status.ledger));
  setText(byId("host"), name);
  document.title = `${status.ready ? "" : "! "}${name} · FFFA`;
  setText(byId("ready"), status.ready ? "Ready" : status.stage === "stopping" ? "Stopping" : "Not ready");
  setClass(byId("ready"), "pill " + (status.ready ? "good" : "bad"));
}

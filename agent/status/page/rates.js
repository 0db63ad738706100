/* What /history says, kept and turned into rates. */

const LISTS = ["ingress_packets", "egress_packets", "ingress_bytes", "egress_bytes", "flows", "records", "delivered"];

function emptyHistory() {
  return {startMs: 0, spanMs: 900000, stepMs: 5000, uptimes: [], lists: Object.fromEntries(LISTS.map((name) => [name, []])),
    lostPackets: {}, lostRecords: {}};
}

/* A reason that appears had no loss before. */
function addReasons(kept, lists, had, more) {
  for (const reason of new Set([...Object.keys(kept), ...Object.keys(lists)])) {
    if (!kept[reason]) kept[reason] = new Array(had).fill(0);
    kept[reason].push(...(lists[reason] || new Array(more).fill(0)));
  }
}

function forgetOld(kept) {
  const newest = kept.uptimes[kept.uptimes.length - 1];
  const old = kept.uptimes.findIndex((uptime) => newest - uptime <= kept.spanMs);
  if (old <= 0) return;
  const all = [kept.uptimes, ...Object.values(kept.lists), ...Object.values(kept.lostPackets), ...Object.values(kept.lostRecords)];
  for (const list of all) list.splice(0, old);
}

/* Adds the samples of an answer. Another start_ms is another run of the agent. */
function addHistory(kept, history) {
  if (history.start_ms !== kept.startMs) Object.assign(kept, emptyHistory(), {startMs: history.start_ms});
  const had = kept.uptimes.length, more = history.uptime_ms.length;
  kept.spanMs = history.span_ms;
  kept.stepMs = history.step_ms;
  kept.uptimes.push(...history.uptime_ms);
  for (const name of LISTS) kept.lists[name].push(...history[name]);
  addReasons(kept.lostPackets, history.lost_packets, had, more);
  addReasons(kept.lostRecords, history.lost_records, had, more);
  forgetOld(kept);
}

function newestUptime(kept) {
  return kept.uptimes.length ? kept.uptimes[kept.uptimes.length - 1] : -1;
}

function agesOf(kept) {
  const newest = newestUptime(kept);
  return kept.uptimes.map((uptime) => newest - uptime);
}

/* Per second; null before the first difference, and across a gap. */
function ratesOf(kept, list) {
  return list.map((value, at) => {
    const ms = at ? kept.uptimes[at] - kept.uptimes[at - 1] : 0;
    return ms > 0 && ms < 4 * kept.stepMs ? Math.max(0, value - list[at - 1]) * 1000 / ms : null;
  });
}

/* How much was added in the time that is shown. */
function growthOf(list) {
  let sum = 0;
  for (let at = 1; at < list.length; at++) sum += Math.max(0, list[at] - list[at - 1]);
  return sum;
}

/* How much was added in each of `count` equal spans, the newest last. */
function spansOf(kept, list, count) {
  const newest = newestUptime(kept), sums = new Array(count).fill(0);
  for (let at = 1; at < list.length; at++) {
    const span = count - 1 - Math.floor((newest - kept.uptimes[at]) * count / kept.spanMs);
    if (span >= 0) sums[span] += Math.max(0, list[at] - list[at - 1]);
  }
  return sums;
}

/* [{what, reason, list, lost}] of all reasons with loss in the time that is shown, the largest first. */
function lossesOf(kept) {
  const of = (lists, what) => Object.entries(lists).map(([reason, list]) => ({what, reason, list, lost: growthOf(list)}));
  return [...of(kept.lostPackets, "packets"), ...of(kept.lostRecords, "records")]
    .filter((loss) => loss.lost > 0).sort((a, b) => b.lost - a.lost);
}

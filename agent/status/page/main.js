/* Asks the agent again and again, while the page is looked at. */

const POLL_MS = 2000, ANSWER_MS = 8000;

async function ask(path) {
  const answer = await fetch(path, {cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS)});
  const text = await answer.text();
  return {code: answer.status, text, body: answer.status === 200 ? JSON.parse(text) : null};
}

async function askOrFail(path) {
  const answer = await ask(path);
  if (!answer.body) throw new Error(answer.text);
  return answer.body;
}

function start() {
  const kept = emptyHistory(), overview = createOverview();
  const flows = createFlows(() => poll());
  let running = false, again = false, timer = 0, answeredMs = 0, status = null;

  async function takeHistory() {
    const known = status.start_ms === kept.startMs && kept.uptimes.length;
    addHistory(kept, await askOrFail(known ? `/history?since=${newestUptime(kept)}` : "/history"));
  }
  async function takeFlows() {
    const path = flows.path(), answer = await ask(path);
    if (path !== flows.path()) return; /* of another filter */
    if (answer.body) flows.take(answer.body);
    else if (answer.code === 400) flows.refuse(answer.text.trim());
  }
  function showStatus(nowMs) {
    overview.takeStatus(status);
    showSinks(status.sinks.map((sink) => ({sink, nowMs})));
    showHooks(status);
    showAgent(status);
  }
  async function takeAll() {
    status = await askOrFail("/status");
    showStatus(status.start_ms + status.uptime_ms);
    if (status.uptime_ms - newestUptime(kept) >= kept.stepMs || status.start_ms !== kept.startMs) await takeHistory();
    overview.draw(kept);
    showNotices(listNotices(status, kept));
    await takeFlows();
    answeredMs = Date.now();
    showAge();
  }
  /* One round at a time; a change during a round asks for another one. */
  async function poll() {
    again = running;
    if (running) return;
    running = true;
    clearTimeout(timer);
    await takeAll().catch((error) => console.warn(error));
    running = false;
    if (again) poll();
    else if (!document.hidden) timer = setTimeout(poll, POLL_MS);
  }
  function showAge() {
    const ms = Date.now() - answeredMs, late = ms > 3 * POLL_MS;
    setClass(byId("live"), late ? "live late" : "live");
    if (!answeredMs) setText(byId("live"), "no answer yet");
    else setText(byId("live"), late ? `no answer for ${formatDuration(ms)}` : "live");
    if (answeredMs && late) {
      setText(byId("ready"), "No answer");
      setClass(byId("ready"), "pill bad");
    }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
  setInterval(showAge, 1000);
  poll();
}

start();

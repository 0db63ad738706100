/* Numbers, amounts and times as short texts. */

function scale(value, step, units) {
  let at = 0;
  while (value >= step * 0.99995 && at < units.length - 1) {
    value /= step;
    at++;
  }
  const digits = at === 0 ? (value < 10 && value % 1 ? 1 : 0) : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + units[at];
}

function formatCount(value) {
  return scale(value, 1000, ["", " k", " M", " G", " T", " P", " E"]);
}

function formatBytes(value) {
  return scale(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"]);
}

function formatBits(value) {
  return scale(value, 1000, [" bit/s", " kbit/s", " Mbit/s", " Gbit/s", " Tbit/s"]);
}

function formatRate(value) {
  return formatCount(value) + "/s";
}

function formatExact(value) {
  return Math.round(value).toLocaleString("en-US");
}

/* "3 s", "4 min", "2 h 5 min", "3 d 4 h". */
function formatDuration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (seconds < 60) return seconds + " s";
  if (minutes < 60) return minutes + " min" + (minutes < 5 && seconds % 60 ? " " + seconds % 60 + " s" : "");
  if (hours < 24) return hours + " h" + (minutes % 60 ? " " + minutes % 60 + " min" : "");
  return days + " d" + (hours % 24 ? " " + hours % 24 + " h" : "");
}

function formatWait(ms) {
  return ms < 1000 ? "less than 1 s" : formatDuration(ms);
}

function formatAgo(ms) {
  return ms < 1500 ? "just now" : formatDuration(ms) + " ago";
}

function formatTime(unixMs) {
  return new Date(unixMs).toLocaleString(undefined, {dateStyle: "medium", timeStyle: "medium"});
}

/* "table_full" becomes "table full". */
function formatName(name) {
  return name.replaceAll("_", " ");
}

const PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 51: "ah", 58: "icmp6", 132: "sctp"};

function formatProtocol(number) {
  return PROTOCOLS[number] || String(number);
}

/* A letter for each flag, as tcpdump has them. */
function formatFlags(flags) {
  return Array.from("FSRP.UEW").filter((letter, bit) => flags >> bit & 1).join("");
}

function formatEnd(address, port) {
  if (port === undefined) return address;
  return (address.includes(":") ? "[" + address + "]" : address) + ":" + port;
}

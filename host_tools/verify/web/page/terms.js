// Numbers of the record as words: events, times.

const EVENTS = [
  "Self-test", "Opening", "Ballots counted", "Page photographed", "Incident", "Voters counted", "Receipt begun",
  "Receipt ended", "Answer of the collector", "Closing", "Ballot exchanged", "Ballots left over",
];
const ZONES = { 420: "WIB", 480: "WITA", 540: "WIT" };

export function eventName(event, t) {
  return event >= 1 && event <= EVENTS.length ? t(EVENTS[event - 1]) : String(event);
}

// A time at the station by its package's offset in minutes, else in UTC.
export function clock(seconds, offset) {
  if (!(seconds < 1e11)) return String(seconds);
  const minutes = offset === undefined ? 0 : offset;
  const text = new Date((Number(seconds) + 60 * minutes) * 1000).toISOString().slice(0, 16).replace("T", " ");
  if (offset === undefined) return `${text} UTC`;
  const size = Math.abs(minutes);
  const shift = `${minutes < 0 ? "-" : "+"}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
  return `${text} ${ZONES[minutes] ? `${ZONES[minutes]} ` : ""}(${shift})`;
}

// A sentence whose values may be sentences themselves: the reason inside a refusal.
export function inWords(text, values, t) {
  return t(text, ...values.map((value) => (typeof value === "string" ? t(value.replace(/%/g, "%%")) : value)));
}

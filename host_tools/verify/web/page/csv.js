// The day's list as CSV (RFC 4180): one line a scan, columns the same in every language.
import { stateOf } from "./compare.js";

const COLUMNS = [
  "scanned_at", "state", "training", "superseded_by", "kind", "election", "station", "contest", "form",
  "seq", "kit_time", "kid", "rec_id", "valid_votes", "invalid_votes", "all_votes", "votes_by_pair", "rules_broken", "record_hex",
];

// Excel takes a cell that begins so for a formula.
const plain = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const cell = (value) => {
  const text = plain(value === null || value === undefined ? "" : String(value));
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};
const iso = (seconds) => (seconds < 1e11 ? new Date(Number(seconds) * 1000).toISOString() : String(seconds));

function row({ report, recId, at, hex }) {
  const facts = report.exit === 1 ? {} : report.facts; // what an invalid paper says is nobody's word
  const values = facts.values || {};
  const votes = Object.keys(values).filter((name) => name.startsWith("votes_")).map((name) => values[name]);
  return [
    new Date(at).toISOString(), stateOf(report), report.facts.training ? "yes" : "", report.superseded, facts.kind, facts.election,
    facts.station, facts.contest, facts.form_code || facts.form, facts.seq, facts.time === undefined ? "" : iso(facts.time),
    facts.kid, recId, values.valid, values.invalid, values.total, votes.map((one) => (one === null ? "-" : one)).join(" "),
    (facts.findings || []).map((finding) => finding.rule).join(" "), hex,
  ];
}

// `scans` as day.js has them, with {at: ms, hex}.
export function csv(scans) {
  const lines = [COLUMNS, ...scans.map(row)].map((cells) => cells.map(cell).join(","));
  return "\ufeff" + lines.join("\r\n") + "\r\n";
}

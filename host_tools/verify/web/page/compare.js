// What several receipts say of each other: misuse of a key, broken chains, corrections; the same as
// host_tools/verify/compare.py. Then what is still missing, and a report's state in one word.
import { hex } from "./bytes.js";
import { SKIPPED, WARNING } from "./report.js";

const HOLDS_FIGURES = { result: true, correction: true };
const holdsFigures = (scan) => HOLDS_FIGURES[scan.report.facts.kind] === true;
const short = (facts) => facts.rec_id.slice(0, 8).toUpperCase();
const place = (kid, seq) => `${kid}/${seq}`;
const contest = (facts) => `${facts.election}/${facts.station}/${facts.contest}`;

// Adds to the reports of `scans` [{report, ...}] what follows from having all of them. Only what was
// found valid is compared: nobody can cast doubt on a receipt with a forged one.
export function compare(scans) {
  const signed = scans.filter(({ report }) => report.exit === 0 && report.facts.kind !== "acknowledgement");
  neighbours(signed);
  corrections(signed.filter(holdsFigures));
}

// Same key and number with other bytes is misuse; number n names n - 1 as the one before.
function neighbours(signed) {
  const byPlace = new Map();
  for (const { report } of signed) {
    const name = place(report.facts.kid, report.facts.seq);
    byPlace.set(name, (byPlace.get(name) || new Set()).add(report.facts.rec_id));
  }
  for (const { report } of signed) {
    const { kid, seq } = report.facts;
    if (byPlace.get(place(kid, seq)).size > 1) {
      report.fail("misuse", "Two different records have number %d of this kit: its key is misused", seq);
      continue;
    }
    const earlier = typeof seq === "bigint" ? seq - 1n : seq - 1;
    const before = byPlace.get(place(kid, earlier));
    if (before === undefined || before.size > 1) continue;
    if (before.has(hex(report.prev))) report.ok("chain", "It follows record %d, which was given too", earlier);
    else report.fail("chain", "It does not follow record %d, which was given too: one of them is misuse", earlier);
  }
}

// Whether a record was replaced: likely, by another receipt of its contest.
function corrections(signed) {
  const contests = new Map();
  for (const { report } of signed) {
    const name = contest(report.facts);
    contests.set(name, (contests.get(name) || []).concat(report.facts));
  }
  for (const { report } of signed) {
    const facts = report.facts;
    const rest = contests.get(contest(facts));
    const later = rest.filter((other) => other.kind === "correction" && other.kid === facts.kid && other.seq > facts.seq);
    if (later.length) {
      const last = later.reduce((a, b) => (b.seq > a.seq ? b : a));
      report.superseded = short(last);
      say(report, WARNING, "A later correction of this contest was given: number %d, record %s", last.seq, short(last));
    } else if (new Set(rest.map((other) => other.rec_id)).size > 1) {
      say(report, SKIPPED, "None of the other receipts replaces it; of further ones only the log knows");
    }
    if (rest.some((other) => other.kid !== facts.kid)) {
      report.warn("other", "Another kit signed a result of this station and contest too: ask why");
    }
  }
}

// In the place of what one receipt alone could say of corrections.
function say(report, status, text, ...values) {
  report.checks = report.checks.filter((check) => check.name !== "superseded");
  report.add("superseded", status, text, values);
}

// [[place, of, title]...] of the station's contests that have no valid receipt among `scans`.
export function missing(station, scans) {
  const seen = new Set();
  for (const scan of scans) {
    const { facts } = scan.report;
    const here = facts.election === station.election && Number(facts.station) === station.station;
    if (holdsFigures(scan) && scan.report.valid && here) seen.add(facts.contest);
  }
  return station.contests
    .map((one, i) => [i + 1, station.contests.length, one.title, one.number])
    .filter(([, , , number]) => !seen.has(number))
    .map(([number, of, title]) => [number, of, title]);
}

// The state of a report in one word, for colours, list and CSV.
export function stateOf(report) {
  if (report.exit === 1) {
    const cause = ["misuse", "revoked"].find((name) => report.status(name) === "failed");
    return cause || "invalid";
  }
  if (report.exit === 2) return "unknown";
  if (report.facts.training) return "training";
  if (report.superseded) return "superseded";
  return report.warned ? "warned" : "valid";
}

// One receipt on the screen: verdict, what it says, what is wrong with it, what was not checked.
import { el } from "./dom.js";
import { clock, eventName, inWords } from "./terms.js";
import { FAILED, OK, SKIPPED, WARNING } from "./report.js";
import { verdict } from "./verdict.js";

const STATUS = { [OK]: "TRUE", [FAILED]: "FAILED", [WARNING]: "WARNING", [SKIPPED]: "NOT YET" };
const NAMES = {
  frame: "Framing", header: "Header", "low-s": "Form of the signature", shape: "Fields", role: "Kind", key: "Kit's key",
  signature: "Signature", election: "Election", revoked: "Revocation", station: "Station", mode: "Mode", time: "Time",
  figures: "Figures", package: "Package", bundle: "List of keys", authority: "Authority", log: "Public log",
  photographs: "Photographs", superseded: "Correction", manifest: "List of photographs", photograph: "Photograph",
  chain: "Chain", misuse: "Misuse", other: "Other kit", certificate: "Certificate", unexpected: "Unforeseen",
};
const SKIPPED_HERE = { photographs: "The photographs: compare them under Photo" };

function said(check, t) {
  return inWords((check.status === SKIPPED && SKIPPED_HERE[check.name]) || check.text, check.values, t);
}

const number = (value) => (value === null ? "–" : String(value));

function sentences(checks, t) {
  return checks.map((check) =>
    el("li", {}, said(check, t), check.lines.length ? el("ul", {}, ...check.lines.map((line) => el("li", {}, line(t)))) : null)
  );
}

function block(title, name, items) {
  return items.length ? el("section", { class: name }, el("h3", {}, title), el("ul", {}, ...items)) : null;
}

// Which station and contest this is, before its figures.
function head(facts, station, t) {
  const where = station ? `TPS ${String(station.tps).padStart(3, "0")} ${station.regions[3]}` : facts.station;
  const what = facts.contest === undefined ? null : facts.contest_title || t("Contest %s", facts.contest);
  return el("div", { class: "head" }, ...[where, what].filter(Boolean).map((text) => el("p", {}, text)));
}

function particulars(facts, station, t) {
  const rows = [];
  if (station) {
    rows.push([t("Place"), `${station.regions[3]}, ${station.regions[2]}, ${station.regions[1]}`]);
    rows.push([t("Election"), station.title]);
  }
  if (facts.station !== undefined) rows.push([t("Station"), facts.station]);
  if (facts.contest !== undefined) rows.push([t("Contest"), facts.contest_title || String(facts.contest)]);
  if (facts.form !== undefined) rows.push([t("Form"), facts.form_code || String(facts.form)]);
  if (facts.event !== undefined) rows.push([t("Happening"), eventName(facts.event, t)]);
  if (facts.quotes !== undefined) {
    rows.push([t("For record"), facts.quotes.slice(0, 8).toUpperCase()]);
    rows.push([t("Received"), clock(facts.received, facts.utc_offset)]);
  }
  if (facts.time !== undefined) rows.push([t("Kit's time"), clock(facts.time, facts.utc_offset)]);
  rows.push([t("Record"), facts.rec_id.slice(0, 8).toUpperCase().replace(/(....)/, "$1 ")]);
  return el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function votes(report, t) {
  const { values, pairs } = report.facts;
  const rows = report.form.fields.filter((field) => field.startsWith("votes_") || field.indexOf("_") < 0);
  return el(
    "table",
    { class: "votes" },
    el("caption", {}, t("Votes")),
    el("tbody", {}, ...rows.map((field) => {
      const at = Number(field.slice(6));
      const name = field.startsWith("votes_") && pairs ? `${at}. ${pairs[at - 1]}` : report.form.label(field, t);
      return el("tr", { class: field.startsWith("votes_") ? "" : "total" }, el("th", { scope: "row" }, name), el("td", {}, number(values[field])));
    }))
  );
}

// The other figures of the sheet: rows of L, P, J, then the ballots.
function others(report, t) {
  const { values } = report.facts;
  const fields = report.form.fields;
  const rows = fields.filter((field) => field.endsWith("_l")).map((field) => field.slice(0, -2));
  const ballots = fields.filter((field) => field.startsWith("ballots_"));
  const line = (name, cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((one) => el("td", {}, number(one))));
  return el(
    "details",
    {},
    el("summary", {}, t("Voters and ballots")),
    el("table", {},
      el("thead", {}, el("tr", {}, el("td", {}), ...["L", "P", "J"].map((sex) => el("th", { scope: "col" }, sex)))),
      el("tbody", {}, ...rows.map((row) => line(report.form.rowLabel(row, t), ["l", "p", "j"].map((sex) => values[`${row}_${sex}`]))))),
    el("table", {}, el("tbody", {}, ...ballots.map((field) => line(report.form.label(field, t), [values[field]]))))
  );
}

function allChecks(report, t) {
  const rows = report.checks.map((check) =>
    el("li", { class: check.status.replace(" ", "-") },
      el("b", {}, `${t(STATUS[check.status])} · ${t(NAMES[check.name] || check.name)}`), el("br"), said(check, t))
  );
  return el("details", {}, el("summary", {}, t("All checks")), el("ul", { class: "checks" }, ...rows));
}

// `station`: its package or null; `actions`: buttons below. Figures of an invalid paper are not
// shown as if somebody had said them.
export function card(report, station, t, actions = []) {
  const good = report.exit === 0;
  const by = (status) => report.checks.filter((check) => check.status === status && check.name !== "mode");
  const open = by(SKIPPED).filter((check) => check.text !== "Not reached: an earlier check failed");
  return el(
    "article",
    { class: "card" },
    report.facts.training ? el("p", { class: "training-strip" }, t("TRAINING: not a real result")) : null,
    verdict(report, t),
    good ? head(report.facts, station, t) : null,
    good ? block(t("Look at this"), "mind", sentences(by(WARNING), t)) : null,
    good && report.form ? votes(report, t) : null,
    good && report.form ? others(report, t) : null,
    good ? particulars(report.facts, station, t) : null,
    report.exit === 1 ? block(t("Why"), "why", sentences(by(FAILED), t)) : null,
    report.exit === 1 ? null : block(t("Could not be checked here"), "open", sentences(open, t)),
    allChecks(report, t),
    actions.length ? el("div", { class: "row" }, ...actions) : null
  );
}

// A report's verdict in large words, with its colour and sign: what a person sees first.
import { el, sign } from "./dom.js";
import { FAILED, WARNING } from "./report.js";
import { stateOf } from "./compare.js";
import { inWords } from "./terms.js";

// state -> [sign, words]; the colours are in style.css under the state's name.
const SHOWN = {
  valid: ["check", "VALID"],
  warned: ["exclamation", "VALID, with warnings"],
  training: ["exclamation", "TRAINING"],
  superseded: ["exclamation", "REPLACED by a correction"],
  misuse: ["cross", "NOT VALID: key misused"],
  revoked: ["cross", "NOT VALID: key revoked"],
  invalid: ["cross", "NOT VALID"],
  unknown: ["question", "CANNOT TELL"],
};

// The photograph's own question, by exit code.
const PHOTO = ["YES, the photograph that was signed", "NO, not proved to be a photograph that was signed", "CANNOT TELL"];

export const wordOf = (report, t) => t(report.subject === "photo" ? PHOTO[report.exit] : SHOWN[stateOf(report)][1]);

export function signOf(report) {
  return sign(SHOWN[stateOf(report)][0]);
}

// The sentence below the large words.
function why(report, t) {
  const state = stateOf(report);
  if (report.subject === "photo" && report.exit === 0) {
    const found = report.checks.find((check) => check.name === "photograph");
    return inWords(found.text, found.values, t);
  }
  if (state === "training") {
    return t(report.superseded ? "Signed rightly, for training only: it counts for nothing, and it was replaced" : "Signed rightly, for training only: it counts for nothing");
  }
  if (state === "valid") return t("A kit of this election signed it, and nothing was changed");
  if (state === "unknown") {
    const open = report.checks.find((check) => report.needed.indexOf(check.name) >= 0 && check.status === "not checked");
    return open ? inWords(open.text, open.values, t) : "";
  }
  const wanted = report.exit === 1 ? FAILED : WARNING;
  const first = { superseded: "superseded", revoked: "revoked", misuse: "misuse" }[state];
  const found = report.checks.filter((check) => check.status === wanted);
  const check = found.find((one) => one.name === first) || found[0];
  if (check === undefined) return "";
  return [inWords(check.text, check.values, t), ...check.lines.slice(0, 1).map((line) => line(t))].join(" ");
}

export function verdict(report, t) {
  return el(
    "div",
    { class: `verdict ${stateOf(report)}`, role: "status" },
    signOf(report),
    el("p", { class: "word" }, wordOf(report, t)),
    el("p", {}, why(report, t))
  );
}

// Rules R1 to R13 between the figures of a sheet, and their sentences: as firmware/figures.py and
// firmware/findings_text.py. A broken rule is shown and explained; it makes no record invalid.

const SEXES = ["l", "p", "j"];
const VOTERS_LIMIT = 600;

const SENTENCES = {
  R1: "%s: L + P is %d, but J says %d",
  R2: "%s: %d, but the categories add up to %d",
  R3: "%s: %d, more than the %d voters in DPT",
  R4: "Ballots received %d, but used, returned and unused add up to %d",
  R5: "Ballots used %d, but users are %d",
  R6: "%s: %d, more than the %d received",
  R7: "Valid votes %d, but the pairs add up to %d",
  R8: "All votes %d, but valid and invalid add up to %d",
  "R9 users": "All votes %d, but users are %d",
  "R9 ballots": "All votes %d, but ballots used are %d",
  R11: "Disabled users %d, more than the %d users",
  R12: "Ballots received %d, but DPT with reserve is %d",
  R13: "%s: %d, above the usual limit of %d",
};

// Reserve ballots: the share in per mille, rounded up.
const withReserve = (dpt, permille) => BigInt(dpt) + (BigInt(dpt) * BigInt(permille) + 999n) / 1000n;

function equations(form) {
  const rows = form.categories.map((_, i) => `users_${i + 1}`);
  const list = [];
  for (const row of ["dpt", ...rows, "users_total", "disabled"]) {
    list.push([row === "disabled" ? "R11" : "R1", [`${row}_l`, `${row}_p`], "=", [`${row}_j`]]);
  }
  for (const sex of SEXES) list.push(["R2", [`users_total_${sex}`], "=", rows.map((row) => `${row}_${sex}`)]);
  for (const sex of SEXES) list.push(["R3", [`users_1_${sex}`], "<=", [`dpt_${sex}`]]);
  const parts = ["ballots_used", "ballots_returned", "ballots_unused"];
  list.push(
    ["R4", ["ballots_received"], "=", parts],
    ["R5", ["ballots_used"], "=", ["users_total_j"]],
    ["R6", ["ballots_returned"], "<=", ["ballots_received"]],
    ["R6", ["ballots_unused"], "<=", ["ballots_received"]],
    ["R7", ["valid"], "=", form.pairs.map((_, i) => `votes_${i + 1}`)],
    ["R8", ["total"], "=", ["valid", "invalid"]],
    ["R9", ["total"], "=", ["users_total_j"]],
    ["R9", ["total"], "=", ["ballots_used"]],
    ["R11", ["disabled_j"], "<=", ["users_total_j"]]
  );
  const known = new Set(form.fields);
  return list.filter(([, left, , right]) => left.concat(right).every((field) => known.has(field)));
}

const sum = (values, fields) => fields.reduce((total, field) => total + BigInt(values[field]), 0n);
const isEmpty = (values) => (field) => values[field] === null || values[field] === undefined;

// [{rule, fields, left, right}...] of the rules that do not hold; left and right are BigInt.
export function broken(form, values, permille) {
  const empty = isEmpty(values);
  const found = [];
  for (const [rule, left, relation, right] of equations(form)) {
    const fields = left.concat(right);
    if (fields.some(empty)) continue;
    const [a, b] = [sum(values, left), sum(values, right)];
    if (a > b || (relation === "=" && a !== b)) found.push({ rule, fields, left: a, right: b });
  }
  if (!empty("ballots_received") && !empty("dpt_j")) {
    const [received, expected] = [BigInt(values.ballots_received), withReserve(values.dpt_j, permille)];
    if (received !== expected) {
      found.push({ rule: "R12", fields: ["ballots_received", "dpt_j"], left: received, right: expected });
    }
  }
  const most = withReserve(VOTERS_LIMIT, permille);
  for (const field of ["dpt_j", "users_total_j", "ballots_received", "total"]) {
    if (!empty(field) && BigInt(values[field]) > most) {
      found.push({ rule: "R13", fields: [field], left: BigInt(values[field]), right: most });
    }
  }
  return found;
}

// Names of the rules that an empty figure keeps from being checked, in order, each once.
export function unchecked(form, values) {
  const empty = isEmpty(values);
  const names = [];
  for (const [rule, left, , right] of equations(form)) {
    if (names.indexOf(rule) < 0 && left.concat(right).some(empty)) names.push(rule);
  }
  const counted = form.fields.indexOf("ballots_received") >= 0 && form.fields.indexOf("dpt_j") >= 0;
  if (counted && (empty("ballots_received") || empty("dpt_j"))) names.push("R12");
  return names;
}

// What does not agree, with both numbers, in the words of `t`.
export function sentence(finding, form, t) {
  let rule = finding.rule;
  const fields = finding.fields;
  if (rule === "R11" && fields.length === 3) rule = "R1";
  if (rule === "R9") rule = fields.indexOf("ballots_used") >= 0 ? "R9 ballots" : "R9 users";
  const sides = [finding.left, finding.right];
  if (!SENTENCES[rule].startsWith("%s")) return t(SENTENCES[rule], ...sides);
  const field = rule === "R1" ? fields[fields.length - 1] : fields[0];
  const name = form.label(field, t);
  return t(SENTENCES[rule], rule === "R1" ? name.slice(0, -2) : name, ...sides);
}

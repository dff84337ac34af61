// Checks one receipt without a network: the checks, their names and sentences are those of
// host_tools/verify/receipt.py (RECORD.md section 9). Bytes in, report out; never throws.
import { hex } from "./bytes.js";
import { SPARE, code13, inRegion } from "./bundle.js";
import { broken, sentence, unchecked } from "./figures.js";
import { Form, LIMIT } from "./forms.js";
import { verify } from "./p256.js";
import { ACK, CORRECTION, EVENT, RESULT, RecordError, isTraining, parse } from "./record.js";
import { Report, WARNING } from "./report.js";

export const NEEDED = ["frame", "header", "low-s", "shape", "role", "key", "signature", "election", "revoked"];
const CLOCK_AHEAD = 86400; // a kit's clock may be off; a day into the future is worth a word
const KINDS = { [RESULT]: "result", [CORRECTION]: "correction", [EVENT]: "event", [ACK]: "acknowledgement" };
const HELD = [
  ["frame", "One tagged COSE_Sign1 in deterministic CBOR"],
  ["header", "Exactly ES256 and an 8-byte key id"],
  ["low-s", "The signature is in its one allowed form"],
  ["shape", "Every field is of its type"],
];

// `trust`: {bundles, pinned, fingerprint, package or null, forms [[form array, reserve per mille]...]},
// the fingerprint being the authority key's. `now`: Unix seconds.
export async function checkReceipt(data, trust, now) {
  const report = new Report("receipt", NEEDED);
  try {
    await check(report, data, trust, now);
  } catch (error) {
    report.fail("unexpected", "Something unforeseen: %s", error.name);
  }
  return report.finish();
}

// A receipt whose text could not even be turned into bytes.
export function malformed(problem) {
  const report = new Report("receipt", NEEDED);
  report.fail("frame", "Not a Saksi record, or altered: %s", problem);
  return report.finish();
}

async function check(report, data, trust, now) {
  const entry = await takeApart(report, data);
  if (entry === null) return;
  report.facts = factsOf(entry);
  report.prev = entry.kind <= EVENT ? entry.payload[entry.payload.length - 2] : null;
  if (KINDS[entry.kind] === undefined) {
    report.fail("role", "Kind %d is not what a receipt holds", entry.kind);
    return;
  }
  report.ok("role", "A kind of record that a receipt may hold");
  if (trust.bundles.length === 0) {
    report.skip("key", "No trust bundle is loaded: load the region's bundle first");
    return;
  }
  if (entry.kind === ACK) {
    await checkAck(report, entry, trust);
    return;
  }
  const known = knownKey(trust.bundles, entry);
  const kid = entry.kid.toUpperCase();
  if (known === null) {
    report.fail("key", "Key %s is not in this bundle: foreign, or of another region", kid);
    return;
  }
  report.ok("key", "Key %s is in the bundle", kid);
  if (!(await checkSignature(report, entry, known.key))) return;
  checkPlace(report, entry, known);
  checkTime(report, entry, now);
  report.skip("certificate", "The kit's certificate was not given: the bundle vouches for its key");
  if (trust.package !== null && trust.package.station === entry.station) {
    report.facts.utc_offset = trust.package.offset;
  } else if (trust.package !== null) {
    report.warn("package", "The station package given is for station %013d: not used", trust.package.station);
  }
  checkFigures(report, entry, trust);
  checkBundle(report, trust, known.bundle, now);
  report.skip("log", "Whether the public log holds this record: needs the network");
  if (entry.kind < EVENT) {
    report.skip("photographs", "The photographs: saksi verify photo compares them");
    report.skip("superseded", "Whether a correction replaced this record: only the log knows");
  }
}

async function takeApart(report, data) {
  let entry = null;
  let failed = "";
  let why = "";
  try {
    entry = await parse(data);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    failed = error.step;
    why = error.message;
  }
  for (const [step, text] of HELD) {
    if (step === failed) {
      report.fail(step, "Not a Saksi record, or altered: %s", why);
      return null;
    }
    report.ok(step, text);
  }
  return entry;
}

function factsOf(entry) {
  const facts = { kind: KINDS[entry.kind] || String(entry.kind), rec_id: entry.recId, kid: entry.kid };
  const payload = entry.payload;
  if (entry.kind <= EVENT) {
    Object.assign(facts, { election: entry.election, station: code13(entry.station), seq: entry.seq, time: entry.time });
  }
  if (entry.kind === EVENT) {
    facts.event = payload[3];
  } else if (entry.kind < EVENT) {
    Object.assign(facts, { contest: payload[3], form: payload[4], figures: payload[5], manifest: hex(payload[6]) });
  } else if (entry.kind === ACK) {
    Object.assign(facts, { quotes: hex(payload[1]), received: payload[2], log_index: payload[3] });
  }
  return facts;
}

async function checkSignature(report, entry, key) {
  if (await verify(key, entry.signed, entry.signature)) {
    return report.ok("signature", "The signature fits these bytes and this key");
  }
  return report.fail("signature", "The signature is wrong: forged, or altered after signing");
}

// The key of `entry` from the bundle of its election if that lists it, else from any; null when no
// bundle does. A key that any of the bundles revokes is revoked.
function knownKey(bundles, entry) {
  const listing = bundles.filter((one) => one.keys.has(entry.kid));
  if (listing.length === 0) return null;
  const bundle = listing.find((one) => one.election === entry.election) || listing[0];
  return { ...bundle.keys.get(entry.kid), bundle, revoked: bundles.some((one) => one.revoked(entry.kid)) };
}

function checkPlace(report, entry, known) {
  const { election, station } = entry;
  const { bundle, station: planned } = known;
  if (election === bundle.election) report.ok("election", "Election %d, as the bundle", election);
  else report.fail("election", "Election %d, but the bundle is for %d", election, bundle.election);
  if (known.revoked) {
    report.fail("revoked", "Key %s was revoked: do not rely on this kit", entry.kid.toUpperCase());
  } else report.ok("revoked", "The key is not revoked in this bundle");
  if (planned === station) report.ok("station", "The kit is the one of station %013d", station);
  else if (planned === SPARE && inRegion(station, bundle.region)) report.ok("station", "A spare kit of this region, at station %013d", station);
  else if (planned === SPARE) report.warn("station", "A spare kit, but station %013d is in another region", station);
  else {
    const text = "The kit belongs to station %013d, the record names %013d: ask who moved it";
    report.warn("station", text, planned, station);
  }
  checkMode(report, election);
}

function checkMode(report, election) {
  report.facts.training = isTraining(election);
  if (report.facts.training) report.warn("mode", "LATIHAN / TRAINING: this is not a result of any election");
  else report.ok("mode", "A live election");
}

async function checkAck(report, entry, trust) {
  if (trust.package === null) {
    report.skip("key", "A proof of sending: give the station package, it names the collector");
    return;
  }
  report.facts.utc_offset = trust.package.offset;
  const kid = entry.kid.toUpperCase();
  if (entry.kid !== trust.package.collectorKid) {
    report.fail("key", "Key %s is not the collector's", kid);
    return;
  }
  report.ok("key", "Key %s is the collector's", kid);
  if (!(await checkSignature(report, entry, trust.package.collectorKey))) return;
  // An acknowledgement names no election: its key does, through the package.
  report.ok("election", "Election %d, as the bundle", trust.package.election);
  report.ok("revoked", "The collector's key is the package's own");
  checkMode(report, trust.package.election);
  report.skip("log", "Whether the record is in the public log: compare its index when on line");
}

function checkTime(report, entry, now) {
  if (entry.time > now + CLOCK_AHEAD) {
    report.warn("time", "The kit's clock is ahead of this machine's by more than a day");
  } else report.ok("time", "The kit's clock is not ahead of this machine's");
}

function checkBundle(report, trust, bundle, now) {
  if (bundle.stale(now)) report.warn("bundle", "Bundle version %d is old: ask for a newer one", bundle.version);
  else report.ok("bundle", "Bundle version %d of region %s is current", bundle.version, bundle.region);
  if (!trust.pinned) {
    const text = "The authority's key was taken from beside the bundle; compare its fingerprint: %s";
    report.skip("authority", text, trust.fingerprint);
  }
}

// [Form, reserve per mille, contest's title or null] by the station's package or a known form.
function formOf(entry, trust) {
  const [, , , contest, number, figures] = entry.payload;
  if (trust.package !== null && trust.package.station === entry.station) {
    for (const one of trust.package.contests) {
      if (one.number === contest && one.form.number === number) {
        return one.form.fields.length === figures.length ? [one.form, trust.package.reserve, one.title] : null;
      }
    }
  }
  for (const [array, permille] of trust.forms) {
    const pairs = figures.length - new Form(array, ["-"]).fields.length + 1;
    if (array[0] === number && pairs > 0) {
      return [new Form(array, Array.from({ length: pairs }, (_, i) => String(i + 1))), permille, null];
    }
  }
  return null;
}

function checkFigures(report, entry, trust) {
  if (entry.kind === EVENT) {
    report.skip("figures", "A record of the kit's day (event %d) has no figures", entry.payload[3]);
    return;
  }
  const found = formOf(entry, trust);
  const listed = entry.payload[5];
  if (found === null) {
    report.skip("figures", "Form %d with %d figures is not known here", entry.payload[4], listed.length);
    return;
  }
  const [form, permille, title] = found;
  const values = form.values(listed);
  report.form = form;
  report.facts.form_code = form.code;
  if (title) Object.assign(report.facts, { contest_title: title, pairs: form.pairs });
  report.facts.values = values;
  const findings = broken(form, values, permille);
  report.facts.findings = findings;
  const lines = findings.map((finding) => (t) => `${finding.rule}: ${sentence(finding, form, t)}`);
  for (const field of form.fields) {
    if (values[field] !== null && values[field] > LIMIT) {
      lines.push((t) => t("%s: %d does not fit three boxes", form.label(field, t), values[field]));
    }
  }
  const empty = unchecked(form, values);
  if (lines.length) {
    report.add("figures", WARNING, "These do not agree; look at the sheet and its photograph:", [], lines);
  } else if (!empty.length) report.ok("figures", "All sums agree");
  if (empty.length) {
    report.skip("figures", "A figure is empty: these rules could not be checked: %s", empty.join(", "));
  }
}

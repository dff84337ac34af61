// Runs the page's own modules under node: `node judge.mjs SITE < tasks.json`, answers on stdout.
// SITE is a built site with a package.json that says "type": "module".
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const site = (name) => import(pathToFileURL(`${process.argv[2]}/${name}.js`));
const { hex, unhex } = await site("bytes");
const { verifyBundle } = await site("bundle");
const { verifyPackage } = await site("package");
const { checkReceipt, malformed } = await site("receipt");
const { checkPhoto } = await site("photo");
const { parseQr, QrError } = await site("qr_text");
const { fromTexts } = await site("read");
const { parseManifest } = await site("record");
const { words } = await site("words");
const { decompress } = await site("p256");
const { csv } = await site("csv");
const { compare, stateOf } = await site("compare");
const { clock } = await site("terms");

const data = {};
new Function("window", readFileSync(`${process.argv[2]}/data.js`, "utf8"))(data);
const { forms, words: table } = data.SAKSI_DATA;

function asJson(report, t) {
  const checks = report.checks.map((check) => {
    const lines = check.lines.map((line) => line(t));
    return { check: check.name, status: check.status, text: t(check.text, ...check.values), ...(lines.length ? { lines } : {}) };
  });
  return { subject: report.subject, valid: report.valid, exit: report.exit, facts: report.facts, checks };
}

async function trustOf({ bundles, authority, pinned, fingerprint, station }) {
  const key = unhex(authority);
  const held = [];
  for (const bundle of bundles) held.push(await verifyBundle(unhex(bundle), key));
  return { bundles: held, package: station ? await verifyPackage(unhex(station), key) : null, pinned, fingerprint, forms };
}

async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    return { error: error.constructor.name, text: error.message };
  }
}

const DO = {
  receipt: async ({ hex: text, trust, now, language }) =>
    asJson(await checkReceipt(unhex(text), await trustOf(trust), now), words(language, table)),
  photo: async ({ digest, size, hex: text, manifest, trust, now, language }) =>
    asJson(await checkPhoto(unhex(digest), size, unhex(text), manifest === null ? null : unhex(manifest), await trustOf(trust), now), words(language, table)),
  bundle: async ({ hex: text, authority }) => {
    const bundle = await verifyBundle(unhex(text), unhex(authority));
    return { version: bundle.version, kids: Array.from(bundle.keys.keys()) };
  },
  qr: async ({ text }) => {
    const [kind, bytes] = parseQr(text);
    return { kind, hex: hex(bytes) };
  },
  texts: async ({ texts }) => {
    const { found, credential, other } = await fromTexts(texts);
    return { found: found.map((one) => one.missing || (one.data === null ? one.problem : hex(one.data))), credential, other };
  },
  malformed: async ({ problem }) => asJson(malformed(problem), words("en", table)),
  manifest: async ({ hex: text }) => parseManifest(unhex(text))[0].length,
  point: async ({ hex: text }) => {
    const key = decompress(unhex(text));
    return key === null ? null : hex(key);
  },
  clock: async ({ seconds, offset }) => clock(seconds, offset),
  day: async ({ hexes, trust, now, language }) => {
    const held = await trustOf(trust);
    const scans = [];
    for (const text of hexes) {
      const report = await checkReceipt(unhex(text), held, now);
      scans.push({ report, recId: report.facts.rec_id || "", at: 0, hex: text, data: unhex(text) });
    }
    compare(scans);
    const reports = scans.map(({ report }) => asJson(report, words(language, table)));
    return { reports, states: scans.map((scan) => stateOf(scan.report)), csv: csv(scans) };
  },
};

const answers = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) answers.push(await attempt(() => DO[task.do](task)));
// Numbers above 2^53 are BigInt: written as the plain numbers that JSON allows.
const text = JSON.stringify(answers, (_, value) => (typeof value === "bigint" ? `@${value}@` : value));
console.log(text.replace(/"@(-?\d+)@"/g, "$1"));

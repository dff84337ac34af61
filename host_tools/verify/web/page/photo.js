// A photograph against the record that names it: receipt -> manifest -> page -> SHA-256.
// As host_tools/verify/photo.py; without the manifest only the printed fingerprint can be compared.
import { equal, hex, sha256, unhex } from "./bytes.js";
import { CORRECTION, RESULT, parse, parseManifest } from "./record.js";
import { NEEDED, checkReceipt } from "./receipt.js";

const PRINTED = 8; // bytes of a page's SHA-256 on the receipt

// A manifest's bytes from a file that holds them as they are or in hex.
export function manifestIn(data) {
  const text = Array.from(data, (byte) => String.fromCharCode(byte)).join("").trim();
  const found = text ? unhex(text) : null;
  return found === null ? data : found;
}

export async function checkPhoto(digest, size, data, manifest, trust, now) {
  const report = await checkReceipt(data, trust, now);
  report.subject = "photo";
  report.needed = NEEDED.concat("manifest", "photograph");
  report.checks = report.checks.filter((check) => check.name !== "photographs");
  try {
    await check(report, digest, size, data, manifest);
  } catch (error) {
    report.fail("unexpected", "Something unforeseen: %s", error.name);
  }
  return report.finish();
}

async function check(report, digest, size, data, manifest) {
  if (report.failed || !report.validWithout("manifest", "photograph")) return;
  const entry = await parse(data);
  if (entry.kind !== RESULT && entry.kind !== CORRECTION) {
    report.fail("manifest", "This record names no photographs: give a result's receipt");
    return;
  }
  if (manifest === null) {
    report.skip("manifest", "The receipt's code holds only the digest of the list of photographs: load that list");
    return;
  }
  if (!equal(await sha256(manifest), entry.payload[6])) {
    report.fail("manifest", "The manifest is not the one that the record names");
    return;
  }
  const [pages] = parseManifest(manifest);
  report.ok("manifest", "The manifest is the one that the record names: %d pages", pages.length);
  report.facts.pages = pages.map(([no, sha, length]) => [no, hex(sha), length]);
  report.facts.sha256 = hex(digest);
  for (const [number, wanted, length] of pages) {
    if (equal(wanted, digest) && length === size) {
      report.facts.page = number;
      report.ok("photograph", "The photograph is page %d, bit for bit", number);
      return;
    }
  }
  report.fail("photograph", "The photograph is none of the pages: another one, or altered");
}

// Compares a digest with what a person typed from the paper: true, false, or null for too few digits.
export function matchesPrinted(digest, typed) {
  const wanted = unhex(typed.replace(/[^0-9a-zA-Z]/g, ""));
  if (wanted === null || wanted.length !== PRINTED) return null;
  return equal(digest.slice(0, PRINTED), wanted);
}

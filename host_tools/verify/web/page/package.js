// A station's signed package: names of contests and pairs, offset of its clock, collector's key.
import { hex } from "./bytes.js";
import { Form } from "./forms.js";
import { kidOf, verify } from "./p256.js";
import { PACKAGE, parse } from "./record.js";

// `wanting`: it was forged or altered, not merely the wrong file.
export class PackageError extends Error {
  constructor(text, wanting, ...values) {
    super(text);
    this.wanting = wanting;
    this.values = values;
  }
}

function taken(entry) {
  const [, version, election, station, issued, content] = entry.payload;
  const regions = content.get(2);
  const [host, port, collectorKey] = content.get(7);
  const forms = new Map(content.get(6).map((form) => [form[0], form]));
  const contests = content.get(5).map(([number, title, form, , , , pairs]) => ({
    number, title, form: new Form(forms.get(form), pairs),
  }));
  const numbers = [content.get(3), content.get(4), content.get(11)];
  if (regions.length !== 4 || collectorKey.length !== 64 || contests.length === 0) throw new Error("regions");
  if (!numbers.every(Number.isSafeInteger)) throw new Error("numbers");
  return {
    raw: entry.data, version, election, station, issued, regions, contests, host, port, collectorKey,
    title: content.get(1), tps: numbers[0], offset: numbers[1], reserve: numbers[2],
  };
}

// A verified package of `raw` bytes; PackageError. `authority`: the 64-byte key of its signer.
export async function verifyPackage(raw, authority) {
  let entry;
  try {
    entry = await parse(raw);
  } catch (error) {
    throw new PackageError("Not a station package: %s", false, error.message);
  }
  if (entry.kind !== PACKAGE) throw new PackageError("Not a station package, a signed object of kind %d", false, entry.kind);
  const signed = entry.kid === hex(await kidOf(authority)) && (await verify(authority, entry.signed, entry.signature));
  if (!signed) throw new PackageError("The station package is not signed by this authority", true);
  try {
    const station = taken(entry);
    station.collectorKid = hex(await kidOf(station.collectorKey));
    return station;
  } catch (error) {
    throw new PackageError("The station package is incomplete", false);
  }
}

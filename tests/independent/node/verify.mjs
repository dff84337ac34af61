// Checks tagged COSE_Sign1 records with cose-js, which shares no code with this project and none with
// the library that tests/vectors uses.
// stdin: JSON [[name, hex of the record, hex of the key X|Y]...]; stdout: {"<name>": "ok" | "refused"}.
// It checks signatures only; the profile's own rules are ours to check.
import { readFileSync } from "node:fs";
import cose from "cose-js";

const results = {};
for (const [name, record, point] of JSON.parse(readFileSync(0, "utf8"))) {
  const key = { x: Buffer.from(point.slice(0, 64), "hex"), y: Buffer.from(point.slice(64), "hex") };
  try {
    await cose.sign.verify(Buffer.from(record, "hex"), { key });
    results[name] = "ok";
  } catch {
    results[name] = "refused";
  }
}
console.log(JSON.stringify(results));

// Reads vectors.json and says for each entry what @auth0/cose makes of it, as JSON on stdout:
// {"<name>": "ok" | "refused"}. It checks signatures only; the profile's own rules are ours to check.
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { Sign1 } from "@auth0/cose";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const base64url = (hex) => Buffer.from(hex, "hex").toString("base64url");

function importKey(point) {
  const jwk = { kty: "EC", crv: "P-256", x: base64url(point.slice(0, 64)), y: base64url(point.slice(64)) };
  return webcrypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
}

async function outcome(vector) {
  const key = await importKey(vector.public_key);
  try {
    const message = Sign1.decode(bytes(vector.hex));
    await message.verify(key);
    return "ok";
  } catch {
    return "refused";
  }
}

const file = process.argv[2] ?? new URL("../vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));
const results = {};
for (const vector of [...vectors.good, ...vectors.misuse.entries, ...vectors.bad]) {
  results[vector.name] = await outcome(vector);
}
console.log(JSON.stringify(results));

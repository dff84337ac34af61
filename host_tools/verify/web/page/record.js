// The signed record: take apart, check frame, header, low-S and shape in that order (RECORD.md 3, 4).
import { concat, hex, sha256 } from "./bytes.js";
import { CborError, Tag, decode, head } from "./cbor.js";
import { isLowS } from "./p256.js";

export const RESULT = 1;
export const CORRECTION = 2;
export const EVENT = 3;
export const READINESS = 4;
export const BUNDLE = 32;
export const REVOCATION = 33;
export const ACK = 36;
export const PACKAGE = 37;
export const ROSTER = 38;
export const ASSIGNMENT = 39;
export const RELEASE = 40;

const TRAINING = 1000000;
const PROTECTED = [0xa2, 0x01, 0x26, 0x04, 0x48]; // {1: -7, 4: 8 bytes}
const CONTEXT = new TextEncoder().encode("\x6aSignature1");

// `step` is the check of RECORD.md section 9 that failed.
export class RecordError extends Error {
  constructor(step, text) {
    super(text);
    this.step = step;
  }
}

export const isTraining = (election) => election >= TRAINING;

const isBytes = (size) => (value) => value instanceof Uint8Array && value.length === size;
const isUint = (value) => (typeof value === "number" || typeof value === "bigint") && value >= 0;
const isDigest = isBytes(32);
const nullOr = (test) => (value) => value === null || test(value);
const listOf = (test) => (value) => Array.isArray(value) && value.every(test);
const isKid = isBytes(8);
const isKey = isBytes(64);
const isText = (value) => typeof value === "string" && value.length > 0 && [...value].length <= 64;
const rowsOf = (...tests) =>
  listOf((row) => Array.isArray(row) && row.length === tests.length && tests.every((test, i) => test(row[i])));
const isFigures = (value) => listOf(nullOr(isUint))(value) && value.length > 0;

const CHAIN = { seq: isUint, prev: isDigest, time: isUint };
const PLACE = { election: isUint, station: isUint };
const STATEMENT = { ...PLACE, contest: isUint, form: isUint, figures: isFigures, manifest: isDigest, ...CHAIN };
const SHAPES = new Map([
  [RESULT, STATEMENT],
  [CORRECTION, STATEMENT],
  [EVENT, { ...PLACE, event: isUint, detail: Array.isArray, ...CHAIN }],
  [
    READINESS,
    {
      serial: isBytes(9), firmware: isText, digest: isDigest, ...PLACE,
      package: isDigest, time: isUint, results: rowsOf(isUint, isUint),
    },
  ],
  [
    BUNDLE,
    {
      version: isUint, election: isUint, region: isUint, issued: isUint, next: isUint,
      points: rowsOf(isBytes(33), isUint), revoked: listOf(isKid),
    },
  ],
  [REVOCATION, { version: isUint, region: isUint, issued: isUint, revoked: rowsOf(isKid, isUint, isUint) }],
  [
    ACK,
    { record: isDigest, received: isUint, index: nullOr(isUint), size: nullOr(isUint), root: nullOr(isDigest) },
  ],
  [PACKAGE, { version: isUint, ...PLACE, issued: isUint, content: (value) => value instanceof Map }],
  [
    ROSTER,
    {
      version: isUint, region: isUint, issued: isUint, until: isUint,
      technicians: rowsOf(isText, isKey), releasers: listOf(isKey),
    },
  ],
  [ASSIGNMENT, { ...PLACE, kit: isKid, replaces: nullOr(isKid), reason: isUint, issued: isUint }],
  [RELEASE, { version: listOf(isUint), board: isText, issued: isUint, files: isDigest, size: isUint }],
]);

function checkPayload(payload) {
  const shape = Array.isArray(payload) ? SHAPES.get(payload[0]) : undefined;
  if (shape === undefined) throw new RecordError("shape", "Unknown kind of record");
  const fields = Object.keys(shape);
  if (payload.length !== fields.length + 1) {
    throw new RecordError("shape", `Wrong number of fields for kind ${payload[0]}`);
  }
  fields.forEach((name, i) => {
    if (!shape[name](payload[i + 1])) {
      throw new RecordError("shape", `Field ${name} is not as the record wants it`);
    }
  });
  if (payload[0] <= EVENT && payload[payload.length - 3] === 0) {
    throw new RecordError("shape", "Field seq starts at 1");
  }
}

function decoded(data, before) {
  try {
    return decode(data);
  } catch (error) {
    if (error instanceof CborError) throw new RecordError("frame", before + error.message);
    throw error;
  }
}

// A parsed record; kid, recId in hex, the rest as it stands. The signature is not checked here.
export async function parse(data) {
  const frame = decoded(data, "Not a record: ");
  if (!(frame instanceof Tag && frame.number === 18)) {
    throw new RecordError("frame", "Not a record: no COSE_Sign1 tag");
  }
  const parts = frame.value;
  if (!(Array.isArray(parts) && parts.length === 4)) {
    throw new RecordError("frame", "Not a record: four parts expected");
  }
  const [header, unprotected, body, signature] = parts;
  if (!(isBytes(13)(header) && PROTECTED.every((byte, i) => header[i] === byte))) {
    throw new RecordError("header", "Header must be exactly ES256 and an 8-byte key id");
  }
  if (!(unprotected instanceof Map && unprotected.size === 0)) {
    throw new RecordError("header", "Unprotected header must be empty");
  }
  if (!isBytes(64)(signature)) throw new RecordError("frame", "Signature must be 64 bytes");
  if (!isLowS(signature)) throw new RecordError("low-s", "Signature is not in its low-S form");
  if (!(body instanceof Uint8Array)) throw new RecordError("frame", "Payload must be bytes");
  const payload = decoded(body, "Payload: ");
  checkPayload(payload);
  const kind = payload[0];
  return {
    data, kind, payload, signature,
    kid: hex(header.subarray(5)),
    recId: hex(await sha256(data)),
    // What is signed: the Sig_structure of RFC 9052, section 4.4; WebCrypto hashes it.
    signed: concat(Uint8Array.of(0x84), CONTEXT, Uint8Array.of(0x4d), header, Uint8Array.of(0x40), head(2, body.length), body),
    election: kind <= EVENT ? payload[1] : null,
    station: kind <= EVENT ? payload[2] : null,
    seq: payload[payload.length - 3],
    time: payload[payload.length - 1],
  };
}

// [pages, extra] of manifest bytes; RecordError when they are not as RECORD.md section 5 wants them.
export function parseManifest(data) {
  let value;
  try {
    value = decode(data);
  } catch (error) {
    throw new RecordError("manifest", "Manifest: " + error.message);
  }
  if (!(Array.isArray(value) && value.length === 3 && value[0] === 1)) {
    throw new RecordError("manifest", "Manifest: unknown version");
  }
  const [, pages, extra] = value;
  if (!(Array.isArray(pages) && extra instanceof Map)) {
    throw new RecordError("manifest", "Manifest: pages and a map expected");
  }
  for (const page of pages) {
    if (!(Array.isArray(page) && page.length === 3 && isUint(page[0]) && isDigest(page[1]) && isUint(page[2]))) {
      throw new RecordError("manifest", "Manifest: a page is number, digest, size");
    }
  }
  if (!Array.from(extra.keys()).every(isUint)) throw new RecordError("manifest", "Manifest: keys are numbers");
  return [pages, extra];
}

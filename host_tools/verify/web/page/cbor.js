// Deterministic CBOR (RFC 8949, 4.2.1), the subset of RECORD.md section 2; refuses every other form.
//
// Numbers are Number, above 2^53 BigInt; bytes Uint8Array; maps Map, a bytes key as "h'..'".
import { concat, hex, order } from "./bytes.js";

const DEPTH = 12;

export class CborError extends Error {}

export class Tag {
  constructor(number, value) {
    this.number = number;
    this.value = value;
  }
}

const small = (n) => (n <= BigInt(Number.MAX_SAFE_INTEGER) && n >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(n) : n);

class Reader {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(n) {
    if (n > this.data.length - this.at) throw new CborError("cut off");
    this.at += Number(n);
    return this.data.subarray(this.at - Number(n), this.at);
  }

  head() {
    const first = this.take(1)[0];
    const info = first & 31;
    if (info < 24) return [first >> 5, info];
    if (info > 27) throw new CborError("length not definite");
    const size = 1 << (info - 24);
    let n = 0n;
    for (const byte of this.take(size)) n = (n << 8n) | BigInt(byte);
    // A longer head than needed would give a second encoding of the same record.
    if (n < (size === 1 ? 24n : 1n << BigInt(size * 4))) throw new CborError("head longer than needed");
    return [first >> 5, small(n)];
  }

  item(depth) {
    if (depth > DEPTH) throw new CborError("nested too deep");
    if (this.at < this.data.length && this.data[this.at] >> 5 === 7) return this.simple();
    const [major, n] = this.head();
    if (major === 0) return n;
    if (major === 1) return small(-1n - BigInt(n));
    if (major === 2) return this.take(n).slice();
    if (major === 3) return this.text(n);
    if (major === 4) return this.list(n, depth);
    if (major === 5) return this.map(n, depth);
    return new Tag(n, this.item(depth + 1));
  }

  // Every item takes a byte at least: a huge count in a short text is refused before any work.
  bounded(n) {
    if (n > this.data.length - this.at) throw new CborError("cut off");
    return Number(n);
  }

  simple() {
    const byte = this.take(1)[0];
    if (byte === 0xf6) return null;
    if (byte === 0xf5 || byte === 0xf4) return byte === 0xf5;
    throw new CborError("simple value or float not allowed");
  }

  text(n) {
    const raw = this.take(n);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    } catch (error) {
      throw new CborError("text is not UTF-8");
    }
  }

  list(n, depth) {
    const result = [];
    for (let left = this.bounded(n); left > 0; left--) result.push(this.item(depth + 1));
    return result;
  }

  map(n, depth) {
    const result = new Map();
    let last = new Uint8Array(0);
    for (let left = this.bounded(n); left > 0; left--) {
      const start = this.at;
      const key = this.item(depth + 1);
      if (key === null || typeof key === "boolean" || Array.isArray(key) || key instanceof Map || key instanceof Tag) {
        throw new CborError("map key must be a number or a string");
      }
      const raw = this.data.subarray(start, this.at);
      if (order(raw, last) <= 0) throw new CborError("map keys out of order");
      last = raw;
      result.set(key instanceof Uint8Array ? `h'${hex(key)}'` : key, this.item(depth + 1));
    }
    return result;
  }
}

// The value in `data`, which must be one whole deterministic item; else CborError.
export function decode(data) {
  const reader = new Reader(data);
  const value = reader.item(0);
  if (reader.at !== data.length) throw new CborError("bytes after the end");
  return value;
}

// The shortest head of a major type with a length or number below 2^32.
export function head(major, n) {
  const first = major << 5;
  if (n < 24) return Uint8Array.of(first | n);
  if (n < 0x100) return Uint8Array.of(first | 24, n);
  if (n < 0x10000) return Uint8Array.of(first | 25, n >> 8, n & 255);
  return Uint8Array.of(first | 26, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255);
}

// A submission (RECORD.md section 10) with no certificate and no further signatures.
export function submission(record, manifest) {
  const part = (data) => (data === null ? Uint8Array.of(0xf6) : concat(head(2, data.length), data));
  return concat(Uint8Array.of(0x84), part(record), part(manifest), Uint8Array.of(0xf6, 0x80));
}

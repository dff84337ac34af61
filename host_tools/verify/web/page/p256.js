// P-256: points from their compressed form (SEC 1, 2.3.4), key ids, signatures by WebCrypto.
import { concat, hex, sha256 } from "./bytes.js";

const P = BigInt("0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const B = BigInt("0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
const N = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

const number = (bytes) => BigInt("0x" + hex(bytes));

function bytes32(n) {
  const text = n.toString(16).padStart(64, "0");
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}

function squared(n, times) {
  for (let i = 0; i < times; i++) n = (n * n) % P;
  return n;
}

// n^((P + 1) / 4), a square root if there is one; (P + 1) / 4 = 2^254 - 2^222 + 2^190 + 2^94.
function root(n) {
  const t2 = (squared(n, 1) * n) % P;
  const t4 = (squared(t2, 2) * t2) % P;
  const t8 = (squared(t4, 4) * t4) % P;
  const t16 = (squared(t8, 8) * t8) % P;
  const t32 = (squared(t16, 16) * t16) % P;
  return squared((squared((squared(t32, 32) * n) % P, 96) * n) % P, 94);
}

// X and Y (64 bytes) of a compressed point (33 bytes), or null when it is not on the curve.
export function decompress(point) {
  const x = number(point.subarray(1));
  if ((point[0] !== 2 && point[0] !== 3) || x >= P) return null;
  const square = (((x * x) % P) * x - 3n * x + B) % P;
  const y = root(((square % P) + P) % P);
  if ((y * y - square) % P !== 0n) return null;
  const odd = y % 2n === 1n;
  return concat(point.subarray(1), bytes32(odd === (point[0] === 3) ? y : P - y));
}

// Key id: first 8 bytes of the COSE key thumbprint (RFC 9679) of X and Y; `whole` gives all 32.
export async function thumbprint(key) {
  const start = [0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20];
  return sha256(concat(Uint8Array.from(start), key.subarray(0, 32), Uint8Array.of(0x22, 0x58, 0x20), key.subarray(32)));
}

export async function kidOf(key) {
  return (await thumbprint(key)).slice(0, 8);
}

// r and s in range and s in the lower half: of the two that verify only one is a record's.
export function isLowS(signature) {
  const r = number(signature.subarray(0, 32));
  const s = number(signature.subarray(32));
  return r > 0n && r < N && s > 0n && s <= N >> 1n;
}

// True when the 64-byte signature over `message` (hashed here by SHA-256) is by this key.
export async function verify(key, message, signature) {
  if (!isLowS(signature)) return false;
  const kind = { name: "ECDSA", namedCurve: "P-256" };
  try {
    const raw = concat(Uint8Array.of(4), key);
    const held = await crypto.subtle.importKey("raw", raw, kind, false, ["verify"]);
    return (await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, held, signature, message)) === true;
  } catch (error) {
    return false;
  }
}

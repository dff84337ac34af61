// A record in several QR codes, as host_tools/verify/parts.py:
//   part = address "#" "3" number(2) count(2) mark(10) digits
// number from 01, mark = first 4 bytes of the rec-id as a number, digits a piece of what follows "#1".
import { hex, sha256 } from "./bytes.js";
import { parseQr } from "./qr_text.js";

const GROUP = 17;
const HEAD = 15;

export class PartError extends Error {}

// The part in a QR text; null when it is another text, PartError when it is a bent part.
export function parsePart(text) {
  const cut = text.indexOf("#");
  const address = text.slice(0, Math.max(cut, 0)).toUpperCase();
  const rest = text.slice(cut + 1);
  const ours = !address || (address.startsWith("HTTPS://") && address.endsWith("/"));
  if (cut < 0 || !ours || rest[0] !== "3") return null;
  if (!/^[0-9]+$/.test(rest) || rest.length <= HEAD) throw new PartError("a part of a receipt has digits only after #");
  const [number, count, mark] = [rest.slice(1, 3), rest.slice(3, 5), rest.slice(5, 15)].map(Number);
  const digits = rest.slice(HEAD);
  if (number < 1 || number > count || count < 2 || mark > 0xffffffff) {
    throw new PartError("a part of a receipt is numbered wrongly");
  }
  if (number < count && digits.length % GROUP) throw new PartError(`part ${number} of ${count} is cut off`);
  return { number, count, mark: mark.toString(16).padStart(8, "0"), digits };
}

// Numbers of the parts that are not among `parts`, which are all of one record.
export function lacking(parts) {
  const held = new Set(parts.map((part) => part.number));
  return Array.from({ length: parts[0].count }, (_, i) => i + 1).filter((number) => !held.has(number));
}

// The record's bytes from all its parts, in any order and repeated; PartError or QrError.
export async function joined(parts) {
  const pieces = new Map(parts.map((part) => [part.number, part.digits]));
  if (parts.some((part) => pieces.get(part.number) !== part.digits)) throw new PartError("two scans of one part differ");
  const digits = Array.from(pieces.keys()).sort((a, b) => a - b).map((number) => pieces.get(number)).join("");
  const [, data] = parseQr("#1" + digits);
  if (hex(await sha256(data)).slice(0, 8) !== parts[0].mark) {
    throw new PartError("the parts do not make the record that they name");
  }
  return data;
}

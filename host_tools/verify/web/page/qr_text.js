// The text of a receipt's QR code as bytes (RECORD.md section 8).

export const RECORD = 1;
export const CREDENTIAL = 2;
const DIGITS = [0, 3, 5, 8, 10, 13, 15, 17]; // decimal digits for so many bytes

export class QrError extends Error {}

// Upper case of ASCII only: "ß".toUpperCase() and its like must not become letters of a host.
const upper = (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());

// [type, bytes] of a QR text, whole or from its #, in any letter case; else QrError.
export function parseQr(text) {
  const all = upper(text.trim());
  const mark = all.indexOf("#");
  if (mark < 0) throw new QrError("This QR code is not from a receipt: it has no #");
  const address = all.slice(0, mark);
  if (address && !(address.startsWith("HTTPS://") && address.endsWith("/"))) {
    throw new QrError("This QR code is not from a receipt: its address is wrong");
  }
  if (address && !/^[0-9A-Z.-]+$/.test(address.slice(8, -1))) {
    throw new QrError("The host of a QR code is letters, digits, dots and hyphens");
  }
  const rest = all.slice(mark + 1);
  if (rest[0] !== "1" && rest[0] !== "2") throw new QrError("This QR code is of an unknown type");
  const digits = rest.slice(1);
  if (!/^[0-9]+$/.test(digits)) throw new QrError("After # a receipt's QR code has digits only");
  if (DIGITS.indexOf(digits.length % 17) < 0) throw new QrError("The QR code's digits are not complete");
  const data = [];
  for (let start = 0; start < digits.length; start += 17) {
    const group = digits.slice(start, start + 17);
    const size = DIGITS.indexOf(group.length);
    const number = BigInt(group);
    if (number >> BigInt(8 * size)) {
      throw new QrError("A group of digits in the QR code does not fit its bytes");
    }
    for (let at = size - 1; at >= 0; at--) data.push(Number((number >> BigInt(8 * at)) & 255n));
  }
  return [Number(rest[0]), Uint8Array.from(data)];
}

// Bytes: hex, comparison, SHA-256 by the browser.

export function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Bytes of a hex text; null when it is none.
export function unhex(text) {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) return null;
  const data = new Uint8Array(text.length / 2);
  for (let i = 0; i < data.length; i++) data[i] = parseInt(text.substr(2 * i, 2), 16);
  return data;
}

export function unbase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

// -1, 0 or 1: the bytewise order of two arrays, a prefix coming first.
export function order(a, b) {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

export function equal(a, b) {
  return a.length === b.length && order(a, b) === 0;
}

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

// Plain http, except on this machine, has no cryptography in a browser: nothing can be verified.
export function canVerify() {
  return typeof crypto !== "undefined" && crypto.subtle !== undefined;
}

export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

// Bytes in groups of four hex digits as they are printed: "4A71 5EC1".
export function groups(data) {
  return (hex(data).toUpperCase().match(/.{1,4}/g) || []).join(" ");
}

// The trust bundle: which keys of one region may sign in one election. Checked as
// host_tools/provision/bundle.py does, against the authority's key that came with this site.
import { hex, order } from "./bytes.js";
import { decompress, kidOf, verify } from "./p256.js";
import { BUNDLE, isTraining, parse } from "./record.js";

export const SPARE = 0;

// `wanting`: it was forged or altered, not merely the wrong file.
export class BundleError extends Error {
  constructor(text, wanting, ...values) {
    super(text);
    this.wanting = wanting;
    this.values = values;
  }
}

export const code13 = (station) => String(station).padStart(13, "0");
export const inRegion = (station, region) => code13(station).startsWith(String(region));

function checkOrder(points, revoked, region, issued, next) {
  const fail = (text) => {
    throw new BundleError(text, true);
  };
  if (next <= issued) fail("The next issue is not after this one");
  points.forEach(([point, station], i) => {
    if (i > 0) {
      const [before, earlier] = points[i - 1];
      if (earlier > station || (earlier === station && order(before, point) >= 0)) {
        fail("The key list is not sorted by station and point");
      }
    }
    if (station !== SPARE && !inRegion(station, region)) fail("A station of the key list is not in its region");
  });
  if (revoked.some((kid, i) => i > 0 && order(revoked[i - 1], kid) >= 0)) fail("The revoked list is not sorted");
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

async function keysOf(points) {
  const keys = new Map();
  for (let i = 0; i < points.length; i++) {
    const [point, station] = points[i];
    const key = decompress(point);
    if (key === null) throw new BundleError("A key of the list is not a P-256 key", true);
    const kid = hex(await kidOf(key));
    if (keys.has(kid)) throw new BundleError("A key is listed twice", true);
    keys.set(kid, { key, station });
    if (i % 50 === 49) await pause(); // a regency has a thousand keys: let the page draw
  }
  return keys;
}

// A verified bundle of `raw` bytes; BundleError. `authority`: the 64-byte key it must be signed with.
export async function verifyBundle(raw, authority) {
  let entry;
  try {
    entry = await parse(raw);
  } catch (error) {
    throw new BundleError("Not a signed trust bundle: %s", false, error.message);
  }
  if (entry.kind !== BUNDLE) throw new BundleError("Not a trust bundle, a signed object of kind %d", false, entry.kind);
  if (entry.kid !== hex(await kidOf(authority))) {
    throw new BundleError("The bundle is signed by key %s, which is not this authority's", true, entry.kid);
  }
  if (!(await verify(authority, entry.signed, entry.signature))) {
    throw new BundleError("The authority's signature is wrong: the bundle was altered", true);
  }
  const [, version, election, region, issued, next, points, revoked] = entry.payload;
  checkOrder(points, revoked, region, issued, next);
  const keys = await keysOf(points);
  const gone = new Set(revoked.map(hex));
  return {
    raw, version, election, region, issued, next, keys,
    training: isTraining(election),
    revoked: (kid) => gone.has(kid),
    stale: (now) => now > next,
  };
}

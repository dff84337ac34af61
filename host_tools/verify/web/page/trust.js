// What this page trusts: the authority's key of its settings, and the bundles and packages that this
// authority signed, from beside the page or loaded by hand. A bundle never gives way to an older one.
import { equal, groups, unhex } from "./bytes.js";
import { BundleError, verifyBundle } from "./bundle.js";
import { PackageError, verifyPackage } from "./package.js";
import { thumbprint } from "./p256.js";
import { ACK, PACKAGE, parse } from "./record.js";

export class Trust {
  // `settings`: window.SAKSI_SETTINGS; `forms`: [[form array, reserve per mille]...].
  constructor(settings, forms, store) {
    this.settings = settings;
    this.forms = forms;
    this.store = store;
    this.authority = settings.authority ? unhex(settings.authority) : null;
    this.fingerprint = "";
    this.bundles = new Map();
    this.packages = new Map();
  }

  async open() {
    if (this.authority === null) return;
    this.fingerprint = groups(await thumbprint(this.authority)).toLowerCase();
    for (const name of ["bundles", "packages"]) {
      for (const raw of await this.store.all(name)) await this.take(raw, false).catch(() => null);
    }
  }

  // Takes in the bytes of a bundle or package: ["bundle" or "package", what it is]; else throws
  // BundleError or PackageError.
  async take(raw, keep = true) {
    if (this.authority === null) {
      throw new BundleError("This page was made without the authority's key: get it from your KPU again", false);
    }
    let kind = null;
    try {
      kind = (await parse(raw)).kind;
    } catch (error) {
      kind = null; // verifyBundle says why
    }
    return kind === PACKAGE ? this.takePackage(raw, keep) : this.takeBundle(raw, keep);
  }

  async takeBundle(raw, keep) {
    const same = Array.from(this.bundles.values()).find((one) => equal(one.raw, raw));
    if (same) return ["bundle", same];
    const bundle = await verifyBundle(raw, this.authority);
    const name = `${bundle.region}-${bundle.election}`;
    const held = this.bundles.get(name);
    if (held && (held.version > bundle.version || (held.version === bundle.version))) {
      throw new BundleError("Bundle version %d, but %d is already here", false, bundle.version, held.version);
    }
    this.bundles.set(name, bundle);
    if (keep) await this.store.put("bundles", name, raw);
    return ["bundle", bundle];
  }

  async takePackage(raw, keep) {
    const one = await verifyPackage(raw, this.authority);
    const name = `${one.station}-${one.election}`;
    const held = this.packages.get(name);
    if (held && held.version > one.version) {
      throw new PackageError("Package version %d, but %d is already here", false, one.version, held.version);
    }
    this.packages.set(name, one);
    if (keep) await this.store.put("packages", name, raw);
    return ["package", one];
  }

  // The trust to check `data` with: all bundles, and the package of its station.
  async of(data) {
    let entry = null;
    try {
      entry = await parse(data);
    } catch (error) {
      entry = null; // the check itself says why
    }
    const packages = Array.from(this.packages.values());
    let station = null;
    if (entry !== null && entry.kind === ACK) {
      station = packages.find((one) => one.collectorKid === entry.kid) || packages[0] || null;
    } else if (entry !== null) {
      station = packages.find((one) => one.station === entry.station && one.election === entry.election) || null;
    }
    return {
      bundles: Array.from(this.bundles.values()), package: station, forms: this.forms,
      pinned: this.settings.pinned, fingerprint: this.fingerprint,
    };
  }
}

// The receipts scanned on this phone, each once, with their reports; kept by the store.
import { hex, sha256, unhex } from "./bytes.js";
import { compare } from "./compare.js";
import { checkReceipt } from "./receipt.js";

const now = () => Math.floor(Date.now() / 1000);

export class Scans {
  constructor(store, trust) {
    this.store = store;
    this.trust = trust;
    this.list = []; // newest first
  }

  async open() {
    const kept = await this.store.all("scans");
    this.list = kept.sort((a, b) => b.at - a.at).map(({ hex: text, at }) => ({ hex: text, data: unhex(text), at }));
    await this.recheck();
  }

  // Adds the bytes of a receipt, or finds them again; returns its scan.
  async add(data) {
    const text = hex(data);
    const known = this.list.findIndex((scan) => scan.hex === text);
    const scan = known < 0 ? await this.check({ hex: text, data, at: Date.now() }) : this.list.splice(known, 1)[0];
    this.list.unshift(scan);
    this.compare();
    await this.store.put("scans", scan.recId, { hex: text, at: scan.at });
    return scan;
  }

  // All reports again: after another bundle or package was loaded.
  async recheck() {
    for (const scan of this.list) await this.check(scan);
    this.compare();
  }

  async check(scan) {
    const trust = await this.trust.of(scan.data);
    scan.recId = hex(await sha256(scan.data));
    scan.station = trust.package;
    scan.alone = await checkReceipt(scan.data, trust, now());
    return scan;
  }

  // `alone` is what a receipt says by itself, `report` what it says beside the others.
  compare() {
    for (const scan of this.list) scan.report = scan.alone.copy();
    compare(this.list);
  }

  async clear() {
    this.list = [];
    await this.store.clear("scans");
  }
}

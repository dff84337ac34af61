// A photograph against a scanned receipt.
import { groups, sha256 } from "./bytes.js";
import { card } from "./card.js";
import { $, el, fill } from "./dom.js";
import { checkPhoto, manifestIn, matchesPrinted } from "./photo.js";

const holdsPages = (scan) => scan.report.exit === 0 && ["result", "correction"].indexOf(scan.report.facts.kind) >= 0;

export class PhotoView {
  constructor(app) {
    this.app = app;
    this.digest = null;
    this.size = 0;
    this.manifest = null;
    $("photo-file").onchange = (event) => this.take(event.target.files[0]);
    $("photo-manifest").onchange = (event) => this.takeManifest(event.target.files[0]);
    $("photo-record").onchange = () => this.compare();
    $("photo-printed").oninput = () => this.compare();
  }

  async take(file) {
    const data = file ? new Uint8Array(await new Response(file).arrayBuffer()) : null;
    this.digest = data === null ? null : await sha256(data);
    this.size = data === null ? 0 : data.length;
    await this.compare();
  }

  async takeManifest(file) {
    this.manifest = file ? manifestIn(new Uint8Array(await new Response(file).arrayBuffer())) : null;
    await this.compare();
  }

  async compare() {
    const { t, scans, trust, manifests } = this.app;
    const scan = scans.list.find((one) => one.recId === $("photo-record").value);
    if (!scan || this.digest === null) {
      fill($("photo-result"), el("p", {}, t(scan ? "Choose the photograph" : "Scan a result's receipt first")));
      return;
    }
    const now = Math.floor(Date.now() / 1000);
    const report = await checkPhoto(this.digest, this.size, scan.data, this.manifest, await trust.of(scan.data), now);
    if (report.status("manifest") === "ok") manifests.set(scan.recId, this.manifest);
    fill($("photo-result"), this.printed(), card(report, scan.station, t));
  }

  // The paper's own fingerprint: anybody could have printed it, so this is no verdict.
  printed() {
    const { t } = this.app;
    const typed = $("photo-printed").value;
    const same = typed ? matchesPrinted(this.digest, typed) : null;
    const lines = [t("Fingerprint of this file: %s", groups(this.digest.slice(0, 8)))];
    if (typed && same === null) lines.push(t("The fingerprint on the receipt has 16 letters and digits"));
    if (same === true) lines.push(t("It is the one typed from the paper"));
    if (same === false) lines.push(t("It is NOT the one typed from the paper"));
    return el("div", { class: `printed ${same === null ? "" : same ? "same" : "other"}` }, ...lines.map((line) => el("p", {}, line)));
  }

  async render() {
    const { t, scans } = this.app;
    const chosen = $("photo-record").value;
    const listed = scans.list.filter(holdsPages);
    fill($("photo-record"), ...listed.map((scan) => {
      const { facts } = scan.report;
      const name = facts.contest_title || t("Contest %s", facts.contest);
      return el("option", { value: scan.recId, selected: scan.recId === chosen }, `${facts.station} · ${name} · ${scan.recId.slice(0, 8).toUpperCase()}`);
    }));
    $("photo-record").disabled = listed.length === 0;
    await this.compare();
  }
}

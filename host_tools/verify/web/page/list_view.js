// The day's list: what was scanned, in one line each; saved as CSV.
import { csv } from "./csv.js";
import { missing, stateOf } from "./compare.js";
import { $, el, fill } from "./dom.js";
import { clock } from "./terms.js";
import { signOf, wordOf } from "./verdict.js";

export class ListView {
  constructor(app) {
    this.app = app;
    this.asked = false; // emptying takes two presses
    $("export").onclick = () => this.save();
    $("empty").onclick = () => this.empty();
  }

  save() {
    const address = URL.createObjectURL(new Blob([csv(this.app.scans.list)], { type: "text/csv" }));
    const link = el("a", { href: address, download: `saksi-${new Date().toISOString().slice(0, 10)}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  async empty() {
    if (this.asked) await this.app.scans.clear();
    this.asked = !this.asked;
    this.app.listChanged();
  }

  item(scan) {
    const { t } = this.app;
    const { facts } = scan.report;
    const good = scan.report.exit === 0;
    const contest = facts.contest === undefined ? t(facts.kind === "event" ? "Day record" : "Proof of sending") : facts.contest_title || t("Contest %s", facts.contest);
    const where = scan.station ? `TPS ${String(scan.station.tps).padStart(3, "0")} ${scan.station.regions[3]}` : facts.station || "";
    return el("li", {}, el(
      "button",
      { type: "button", class: `item ${stateOf(scan.report)}`, onclick: () => this.app.open(scan) },
      signOf(scan.report),
      el("span", {},
        el("b", {}, wordOf(scan.report, t)),
        good ? el("span", {}, `${where} · ${contest}`) : null,
        good && facts.values ? el("span", {}, t("Valid votes %s", facts.values.valid === null ? "–" : facts.values.valid)) : null,
        el("small", {}, `${scan.recId.slice(0, 8).toUpperCase()} · ${clock(Math.floor(scan.at / 1000), -new Date(scan.at).getTimezoneOffset())}`))
    ));
  }

  render() {
    const { t, scans } = this.app;
    const bad = scans.list.filter((scan) => scan.report.exit === 1).length;
    $("list-count").textContent = t("%d scanned, %d of them not valid", scans.list.length, bad);
    const stations = new Set(scans.list.map((scan) => scan.station).filter(Boolean));
    fill($("missing"), ...Array.from(stations).flatMap((station) =>
      missing(station, scans.list).map(([place, of, title]) =>
        el("p", { class: "missing" }, `TPS ${String(station.tps).padStart(3, "0")}: ${t("Contest %d of %d not scanned yet: %s", place, of, title)}`))
    ));
    fill($("items"), ...scans.list.map((scan) => this.item(scan)));
    $("export").disabled = $("empty").disabled = scans.list.length === 0;
    $("empty").textContent = t(this.asked && scans.list.length ? "Press again to empty the list" : "Empty the list");
  }
}

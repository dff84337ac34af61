// What is trusted here, and loading more of it.
import { canVerify } from "./bytes.js";
import { $, el, fill } from "./dom.js";

const day = (seconds) => (seconds < 1e11 ? new Date(Number(seconds) * 1000).toISOString().slice(0, 10) : String(seconds));
const stale = (bundle) => bundle.stale(Math.floor(Date.now() / 1000));

// A bundle or package that was not taken, as [sentence, value...]; a value that is a function is asked
// for its words.
export function refused(error) {
  const inner = (t) => t(error.message, ...(error.values || []).map((value) => (typeof value === "string" ? t(value) : value)));
  return [error.wanting ? "NOT TO BE TRUSTED: %s" : "Not loaded: %s", inner];
}

export class DataView {
  constructor(app) {
    this.app = app;
    this.said = [];
    $("trust-file").onchange = (event) => this.take(event.target);
  }

  async take(input) {
    const { trust, scans } = this.app;
    this.said = [];
    for (const file of Array.from(input.files)) {
      try {
        const [kind, one] = await trust.take(new Uint8Array(await new Response(file).arrayBuffer()));
        this.said.push(
          kind === "bundle"
            ? ["Loaded: keys of region %s, version %d", one.region, one.version]
            : ["Loaded: package of station %013d", one.station]
        );
      } catch (error) {
        this.said.push(refused(error));
      }
    }
    input.value = "";
    await scans.recheck();
    this.app.listChanged();
  }

  line() {
    const { t, trust } = this.app;
    const bundles = Array.from(trust.bundles.values());
    if (!canVerify()) return ["wanting", t("This page was opened by plain http: nothing can be verified")];
    if (trust.authority === null) return ["wanting", t("No authority's key: nothing can be verified")];
    if (!this.app.ready) return ["", t("Loading…")];
    if (!bundles.length) return ["wanting", t("No trust bundle is loaded: load the region's bundle first")];
    const old = bundles.filter(stale);
    const regions = (list) => list.map((one) => `${one.region}${one.training ? ` ${t("TRAINING")}` : ""}`).join(", ");
    if (old.length) return ["old", t("Keys of region %s: OLD, ask for newer ones", regions(old))];
    return ["good", t("Keys of region %s", regions(bundles))];
  }

  render() {
    const { t, trust, store } = this.app;
    const [state, text] = this.line();
    $("trust-line").className = state;
    $("trust-line").textContent = text;
    const bundles = Array.from(trust.bundles.values()).map((one) =>
      el("li", {},
        el("b", {}, t("Region %s, version %d", one.region, one.version), one.training ? ` · ${t("TRAINING")}` : ""),
        el("span", {}, t("Election %d, %d keys, issued %s, a newer one due %s", one.election, one.keys.size, day(one.issued), day(one.next))))
    );
    const packages = trust.packages.size ? el("p", {}, t("Packages of %d stations", trust.packages.size)) : null;
    const pinned = trust.settings.pinned ? "The authority's key came with this page; its fingerprint:" : "The authority's key was taken from beside the bundle; compare its fingerprint:";
    fill($("trust-list"), el("ul", { class: "plain" }, ...bundles), packages,
      trust.authority ? el("p", {}, t(pinned), el("br"), el("code", {}, trust.fingerprint)) : null);
    fill($("trust-result"), ...this.said.map(([sentence, ...values]) =>
      el("span", { class: "line" }, t(sentence, ...values.map((value) => (typeof value === "function" ? value(t) : value))))));
    const about = [trust.settings.collector ? t("Collector: %s", trust.settings.collector) : t("No collector is set: nothing can be sent from here")];
    if (!store.lasting) about.push(t("This browser keeps nothing: the list is lost when the page is closed"));
    $("about").textContent = about.join(". ") + ".";
  }
}

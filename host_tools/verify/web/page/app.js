// The page: opens what is kept, shows one of four views, in one of two languages.
import { canVerify } from "./bytes.js";
import { DataView, refused } from "./data_view.js";
import { $ } from "./dom.js";
import { ListView } from "./list_view.js";
import { fromStick, trusted } from "./load.js";
import { PhotoView } from "./photo_view.js";
import { ScanView } from "./scan_view.js";
import { Scans } from "./scans.js";
import { Store } from "./store.js";
import { Trust } from "./trust.js";
import { words } from "./words.js";

const VIEWS = { scan: ScanView, list: ListView, photo: PhotoView, data: DataView };

class App {
  constructor(store, trust) {
    this.store = store;
    this.trust = trust;
    this.scans = new Scans(store, trust);
    this.manifests = new Map(); // rec-id -> manifest that was loaded and fits
    this.views = {};
    this.ready = false; // until what is kept and what lies beside the page was read
  }

  async open(scan) {
    this.show("scan");
    this.views.scan.show(scan);
    scrollTo(0, 0);
  }

  start() {
    for (const name of Object.keys(VIEWS)) this.views[name] = new VIEWS[name](this);
    document.querySelectorAll("nav button").forEach((button) => {
      button.onclick = () => this.show(button.dataset.view);
    });
    $("language").onclick = () => this.speak(this.t.language === "id" ? "en" : "id");
    this.speak(kept("language") === "en" ? "en" : "id");
    this.show("scan");
  }

  show(name) {
    if (name !== "scan") this.views.scan.stop();
    for (const one of Object.keys(VIEWS)) $(`view-${one}`).hidden = one !== name;
    document.querySelectorAll("nav button").forEach((button) => {
      if (button.dataset.view === name) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    });
    if (name !== "scan") scrollTo(0, 0);
  }

  speak(language) {
    this.t = words(language, window.SAKSI_DATA.words);
    keep("language", language);
    document.documentElement.lang = language;
    document.title = `Saksi: ${this.t("Check a receipt")}`;
    document.querySelectorAll("[data-t]").forEach((element) => (element.textContent = this.t(element.dataset.t)));
    document.querySelectorAll("[data-label]").forEach((element) => element.setAttribute("aria-label", this.t(element.dataset.label)));
    $("language").textContent = language === "id" ? "English" : "Indonesia";
    $("language").lang = language === "id" ? "en" : "id";
    this.listChanged();
  }

  listChanged() {
    for (const name of Object.keys(VIEWS)) this.views[name].render();
  }
}

// The language is a convenience: a browser that keeps nothing still works.
function kept(name) {
  try {
    return localStorage.getItem(`saksi-${name}`);
  } catch (error) {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`saksi-${name}`, value);
  } catch (error) {
    return;
  }
}

// A phone's own camera opens the receipt's text as an address: where this page is served, what stands
// behind # is the receipt. It is taken out of the address, so that going back does not scan it again.
async function takeAddress(app) {
  const text = location.hash;
  if (!/^#[123][0-9]/.test(text)) return;
  try {
    history.replaceState(null, "", location.pathname + location.search);
  } catch (error) {
    location.hash = "";
  }
  app.show("scan");
  await app.views.scan.given([text]);
}

async function main() {
  const store = await Store.open();
  const trust = new Trust(window.SAKSI_SETTINGS, window.SAKSI_DATA.forms, store);
  const app = new App(store, trust);
  app.start();
  if (canVerify()) {
    await trust.open();
    for (const name of ["bundle.cbor", ...window.SAKSI_SETTINGS.packages]) {
      const raw = await trusted(name);
      // One that is older than what is kept here, or not to be trusted, is left where it lies.
      if (raw !== null) await trust.take(raw).catch((error) => app.views.data.said.push(refused(error)));
    }
    await app.scans.open();
  }
  app.ready = true;
  app.listChanged();
  await takeAddress(app);
  addEventListener("hashchange", () => takeAddress(app));
  document.body.dataset.ready = "yes";
  if ("serviceWorker" in navigator && !fromStick()) navigator.serviceWorker.register("sw.js").catch(() => null);
}

main();

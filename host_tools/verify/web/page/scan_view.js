// Scanning: camera, picture, text; the result of what was scanned.
import { canVerify } from "./bytes.js";
import { Camera } from "./camera.js";
import { card } from "./card.js";
import { missing } from "./compare.js";
import { $, el, fill } from "./dom.js";
import { codesIn } from "./qr_reader.js";
import { fromTexts, nothing } from "./read.js";
import { malformed } from "./receipt.js";
import { send } from "./send.js";

const PROBLEMS = {
  NotAllowedError: "The camera is not allowed: allow it in the browser's settings, or choose a picture",
  NotFoundError: "There is no camera here: choose a picture, or type the text",
  NotReadableError: "Another program uses the camera: close it and try again",
  TypeError: "The browser gives the camera only to pages opened by https or from this device",
};

export class ScanView {
  constructor(app) {
    this.app = app;
    this.waiting = []; // texts of receipts in several codes, until all of them are there
    this.lacking = []; // [[numbers, count, mark]...] of what is still to be scanned
    this.shown = []; // scans, or {report} of a text that is no record
    this.problem = null;
    this.answers = new Map();
    this.busy = false;
    this.queue = Promise.resolve();
    this.camera = new Camera($("video"), (codes) => this.frame(codes));
    $("camera").onclick = () => this.start();
    $("stop").onclick = () => this.stop();
    $("torch").onclick = () => this.torch();
    $("picture").onchange = (event) => this.files(event.target);
    $("typed").onsubmit = (event) => {
      event.preventDefault();
      this.typed();
    };
    // A hand scanner ends a code with Enter; a person writes no line breaks in a code.
    $("text").onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.typed();
      }
    };
  }

  async start() {
    this.clear();
    $("camera").disabled = true;
    try {
      await this.camera.start();
      $("viewer").hidden = false;
      $("torch").hidden = !this.camera.hasTorch;
      $("viewer").scrollIntoView();
    } catch (error) {
      this.camera.stop();
      this.tell(PROBLEMS[error.name] || "This browser cannot read QR codes: type the text of the code");
    }
    $("camera").disabled = false;
    this.render();
  }

  stop() {
    this.camera.stop();
    $("viewer").hidden = true;
    this.render();
  }

  async torch() {
    const on = $("torch").getAttribute("aria-pressed") !== "true";
    await this.camera.torch(on).catch(() => null);
    $("torch").setAttribute("aria-pressed", String(on));
  }

  clear() {
    this.shown = [];
    this.problem = null;
    this.waiting = [];
    this.lacking = [];
  }

  tell(sentence, ...values) {
    this.problem = [sentence, ...values];
  }

  async files(input) {
    this.shown = [];
    this.problem = null;
    for (const file of Array.from(input.files)) {
      if (/^text\/|\.txt$/.test(file.type || file.name)) {
        await this.texts((await readText(file)).split(/\r?\n/));
        continue;
      }
      try {
        await this.texts((await codesIn(file)).map((code) => code.text));
      } catch (error) {
        const known = { EncodingError: "Neither a picture nor a text: give a photograph of the receipt" };
        this.tell(known[error.name] || "This browser cannot read QR codes: type the text of the code");
      }
    }
    input.value = "";
    this.render();
    this.reveal();
  }

  async typed() {
    await this.given($("text").value.split(/\r?\n/));
    if (this.shown.length || this.lacking.length) $("text").value = "";
  }

  // Texts from a person, a hand scanner, or the phone's own camera by way of the page's address.
  async given(texts) {
    this.shown = [];
    this.problem = null;
    await this.texts(texts);
    this.render();
    this.reveal();
  }

  // Codes of one camera frame; while one is worked on, the next ones are let go. The camera stops once
  // what it saw is whole.
  async frame(codes) {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.texts(codes.map((code) => code.text));
    } finally {
      this.busy = false;
    }
    if (this.shown.length && !this.lacking.length) {
      if (navigator.vibrate) navigator.vibrate(80);
      this.reveal();
    }
    this.render();
  }

  // The verdict comes into sight, and to a screen reader's cursor.
  reveal() {
    if (!this.shown.length || this.lacking.length) return;
    this.stop();
    $("ways").open = false;
    scrollTo(0, 0);
    $("results").focus({ preventScroll: true });
  }

  // One after the other: a picture may be chosen while the camera still looks.
  texts(texts) {
    this.queue = this.queue.catch(() => null).then(() => this.read(texts));
    return this.queue;
  }

  async read(texts) {
    if (!canVerify()) {
      this.tell("Opened by plain http a browser cannot verify: open this page by https, or from a file");
      return;
    }
    const all = this.waiting.concat(texts.filter((text) => this.waiting.indexOf(text) < 0));
    const read = await fromTexts(all);
    if (!read.found.length) {
      this.tell(...nothing(read));
      return;
    }
    this.problem = null;
    for (const { data, problem, missing: absent } of read.found) {
      if (absent) continue;
      const one = data === null ? { report: malformed(problem), problem, station: null } : await this.app.scans.add(data);
      if (!this.shown.some((other) => other === one || (problem && other.problem === problem))) this.shown.unshift(one);
    }
    // The camera may see a part again of what is whole by now.
    const done = (mark) => this.shown.some((scan) => scan.recId && scan.recId.startsWith(mark.toLowerCase()));
    this.lacking = read.found.map((one) => one.missing).filter((absent) => absent && !done(absent[2]));
    this.waiting = this.lacking.length ? all : [];
    this.app.listChanged();
  }

  show(scan) {
    this.clear();
    this.shown = [scan];
    this.render();
  }

  async hand(scan) {
    const { t, trust, manifests } = this.app;
    this.answers.set(scan.recId, t("Sending…"));
    this.render();
    const [, ...said] = await send(trust.settings.collector, scan.recId, scan.data, manifests.get(scan.recId) || null);
    this.answers.set(scan.recId, t(...said));
    this.render();
  }

  actions(scan) {
    const { t, trust } = this.app;
    const kind = scan.report.facts.kind;
    const sendable = trust.settings.collector && scan.report.exit === 0 && kind !== "acknowledgement";
    if (!sendable) return [];
    const said = this.answers.get(scan.recId);
    return [
      el("button", { type: "button", class: "send", onclick: () => this.hand(scan) }, t("Send to the collector")),
      el("p", { class: "answer", role: "status" }, said || t("To %s; only when you press this", new URL(trust.settings.collector).host)),
    ];
  }

  render() {
    const { t } = this.app;
    $("camera").hidden = this.camera.running;
    $("intro").hidden = this.camera.running || this.shown.length > 0;
    $("camera").textContent = t(this.shown.length ? "Scan the next one" : "Scan a receipt");
    $("scan-problem").hidden = this.problem === null;
    $("scan-problem").textContent = this.problem === null ? "" : t(...this.problem);
    const open = this.lacking.flatMap(([numbers, count]) =>
      numbers.map((number) => el("p", { class: "missing" }, t("Part %d of %d not scanned yet", number, count)))
    );
    fill($("parts"), ...open);
    fill($("results"), ...this.shown.map((scan) => card(scan.report, scan.station, t, this.actions(scan))), ...this.contests());
  }

  // The contests of the stations shown that still have no receipt in the list.
  contests() {
    const { t, scans } = this.app;
    const stations = new Set(this.shown.filter((scan) => scan.station && scan.report.valid).map((scan) => scan.station));
    return Array.from(stations).flatMap((station) =>
      missing(station, scans.list).map(([place, of, title]) =>
        el("p", { class: "missing" }, t("Contest %d of %d not scanned yet: %s", place, of, title))
      )
    );
  }
}

async function readText(file) {
  return new TextDecoder().decode(await new Response(file).arrayBuffer());
}

// The outcome of a verification: an ordered list of checks, each with one sentence. Fails closed:
// good only when every needed check was made and held. The same as host_tools/verify/report.py.

export const OK = "ok";
export const FAILED = "failed";
export const WARNING = "warning";
export const SKIPPED = "not checked";

export class Report {
  constructor(subject, needed) {
    this.subject = subject;
    this.needed = needed;
    this.checks = [];
    this.facts = {};
  }

  // The same report, to which other checks can be added.
  copy() {
    return Object.assign(new Report(this.subject, this.needed), this, { checks: this.checks.slice() });
  }

  // `lines` go below the sentence: functions from words to a line.
  add(name, status, text, values = [], lines = []) {
    this.checks.push({ name, status, text, values, lines });
    return status === OK;
  }

  ok(name, text, ...values) {
    return this.add(name, OK, text, values);
  }

  fail(name, text, ...values) {
    return this.add(name, FAILED, text, values);
  }

  warn(name, text, ...values) {
    return this.add(name, WARNING, text, values);
  }

  skip(name, text, ...values) {
    return this.add(name, SKIPPED, text, values);
  }

  // The worst status under that name; "not checked" when it was never reached.
  status(name) {
    const found = this.checks.filter((check) => check.name === name).map((check) => check.status);
    return [FAILED, SKIPPED, WARNING, OK].find((status) => found.indexOf(status) >= 0) || SKIPPED;
  }

  get failed() {
    return this.checks.some((check) => check.status === FAILED);
  }

  get warned() {
    return this.checks.some((check) => check.status === WARNING);
  }

  validWithout(...names) {
    const rest = this.needed.filter((name) => names.indexOf(name) < 0);
    return !this.failed && rest.every((name) => this.status(name) === OK);
  }

  get valid() {
    return this.validWithout();
  }

  // 0 valid, 1 found wanting, 2 a needed check could not be made.
  get exit() {
    return this.failed ? 1 : this.valid ? 0 : 2;
  }

  finish() {
    for (const name of this.needed) {
      if (!this.checks.some((check) => check.name === name)) {
        this.skip(name, "Not reached: an earlier check failed");
      }
    }
    return this;
  }
}

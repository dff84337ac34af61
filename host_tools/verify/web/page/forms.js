// A wall sheet (C.Hasil) as data: its pages, the figures on them and their fixed order.
// The same as firmware/forms.py; the forms themselves come with the site or in a station's package.

const SEXES = ["l", "p", "j"];
export const LIMIT = 999; // three digit boxes a figure

const BALLOTS = {
  received: "Ballots received", used: "Ballots used", returned: "Ballots returned", unused: "Ballots unused",
};
const TOTALS = { valid: "Valid votes", invalid: "Invalid votes", total: "All votes" };

export class Form {
  constructor([number, code, categories, pages], pairs) {
    Object.assign(this, { number, code, categories, pairs });
    const rows = categories.map((_, i) => `users_${i + 1}`).concat("users_total");
    const groups = new Map([
      ["dpt", SEXES.map((sex) => `dpt_${sex}`)],
      ["users", rows.flatMap((row) => SEXES.map((sex) => `${row}_${sex}`))],
      ["ballots", Object.keys(BALLOTS).map((row) => `ballots_${row}`)],
      ["disabled", SEXES.map((sex) => `disabled_${sex}`)],
      ["votes", pairs.map((_, i) => `votes_${i + 1}`)],
      ["totals", Object.keys(TOTALS)],
    ]);
    this.fields = [];
    for (const [, , names] of pages) {
      for (const name of names) {
        if (!groups.has(name)) throw new Error(`Form ${code}: unknown or repeated group ${name}`);
        this.fields.push(...groups.get(name));
        groups.delete(name);
      }
    }
    if (groups.has("votes") || pairs.length === 0) throw new Error(`Form ${code} has no pairs to vote for`);
  }

  // {field: figure} of a record's list, which has as many figures.
  values(figures) {
    return Object.fromEntries(this.fields.map((field, i) => [field, figures[i]]));
  }

  // The field's name as a person reads it.
  label(field, t) {
    const cut = field.lastIndexOf("_");
    const row = field.slice(0, Math.max(cut, 0));
    const last = field.slice(cut + 1);
    if (row === "votes") return t("Votes for pair %s", last);
    if (row === "ballots") return t(BALLOTS[last]);
    if (row === "") return t(TOTALS[last]);
    return `${this.rowLabel(row, t)} ${last.toUpperCase()}`;
  }

  // The name of a row of L, P and J.
  rowLabel(row, t) {
    if (row === "dpt") return t("Voters in DPT");
    if (row === "disabled") return t("Disabled users");
    if (row === "users_total") return t("All users");
    return t("Users %s", this.categories[Number(row.slice(6)) - 1]);
  }
}

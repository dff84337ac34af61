"""What is printed: the slips of the day as lists of print operations (see slip.py).

    opening   before voting: the journal holds no figure yet, every pair stands at nothing
    result    one contest's signed figures, with the QR code that holds the signed bytes
    sent      proof that the collector has taken the results in (BUKTI TERKIRIM)
    closing   the end of the journal's chain

A slip quotes one signed entry. Witnesses' names are on no slip.
"""

from firmware import figures, qr_parts, record, slip
from firmware.findings_text import CORRECTION_REASONS, RULE_REASONS, sentence
from firmware.printing import print_job
from firmware.qr_text import CREDENTIAL, RECORD, bytes_of, parse_qr, qr_text, segments_of

__all__ = (
    "CREDENTIAL",
    "RECORD",
    "Copy",
    "Receipts",
    "bytes_of",
    "parse_qr",
    "print_job",
    "qr_text",
    "segments_of",
)

# Purposes of a printed slip, as in event 7 (RECORD.md).
ZERO, WITNESS, SUPERVISOR, PPS, SENT, CLOSING = range(6)

DOTS = 12  # a character's width on paper
MOST_LARGE = 10  # pairs with figures in large print; with more a slip grows longer than a table
SUPERVISOR_ROLE = 2  # in event 2; 1 is a witness

# Headings of the groups of figures: those in columns L, P, J and those in lists.
_TABLES = {"dpt": "VOTERS", "disabled": "DISABLED"}
_LISTS = {"ballots": "BALLOTS", "votes": "VOTES", "totals": "VALID AND INVALID VOTES"}
_STANDS = {1: "signed", 2: "refused to sign", 3: "absent"}


class Copy:
    """Which paper this is: `number` of `of`, for whom (`purpose`, `pair` of a witness).

    `again` is the count of reprints before it: 0 for the first print of this number.
    """

    def __init__(self, purpose, number=1, of=1, pair=0, again=0):
        self.purpose = purpose
        self.number = number
        self.of = of
        self.pair = pair
        self.again = again


def caption(title, copy, t):
    """[(line, bold)…] by which a slip is known: title, that it is a copy, its number, for whom."""
    lines = [(t(title), True)]
    if copy.again:
        lines.append((t("COPY, print no. %d") % (copy.again + 1), True))
    if copy.of > 1:
        lines.append((t("%d of %d") % (copy.number, copy.of), False))
    whom = {
        WITNESS: t("for witness of pair %d") % copy.pair,
        SUPERVISOR: t("for the supervisor"),
        PPS: t("for PPS"),
    }.get(copy.purpose)
    return lines + [(whom, True)] if whom else lines


def name(entry, copy, t):
    """The lines by which people find the slip `copy` of `entry` among others, as printed on it."""
    title = {ZERO: "OPENING SLIP", CLOSING: "CLOSING SLIP"}.get(copy.purpose)
    if title is None:
        title = "CORRECTION RECEIPT" if entry.kind == record.CORRECTION else "RESULT RECEIPT"
    lines = [line for line, _ in caption(title, copy, t)]
    return lines + ["%s %d" % (t("Entry"), entry.seq)]


class Receipts:
    """Slips for one station: `package` is package.Package, `t(english)` gives the words."""

    def __init__(self, t, package, columns=32):
        self.t = t
        self.package = package
        self.columns = columns

    def result(self, entry, manifest, copy):
        """A result's or correction's receipt; `entry` record.Entry, `manifest` its bytes."""
        t, columns = self.t, self.columns
        pages, extra = record.parse_manifest(manifest)
        contest = self._contest(entry.payload[3])
        form = contest.form
        values = form.values(entry.payload[5])
        title = "CORRECTION RECEIPT" if entry.kind == record.CORRECTION else "RESULT RECEIPT"
        yield from self._head(title, copy)
        yield from slip.paragraph(contest.title, columns, bold=True, align=slip.CENTRE)
        yield from slip.paragraph(form.code, columns, align=slip.CENTRE)
        if entry.kind == record.CORRECTION:
            yield from self._replaced(extra)
        yield from self._figures(form, values)
        yield from self._checks(form, values, extra)
        if extra.get(record.STANDS):
            yield from self._heading("WITNESSES")
            for pair, stand in extra[record.STANDS]:
                name = t("Witness of pair %d") % pair
                yield from slip.row(name, t(_STANDS.get(stand, "not known")), columns)
        yield from self._heading("PHOTOGRAPHED PAGES")
        digests = {number: digest for number, digest, _ in pages}
        for number, _, _ in form.pages:
            found = slip.groups(digests[number][:8]) if number in digests else t("none")
            yield from slip.row(t("Page %d") % number, found, columns)
        yield from self._seal(entry)
        yield from self._tail("The paper sheet C.Hasil remains the law. Scan at PPS.")

    def opening(self, entry, present, copy, credential=None):
        """The zero receipt: `entry` is the open event, `present` its [[role, contest, pair]…].

        `credential` (bytes) adds the code by which a stranger's reader knows this kit.
        """
        t, columns = self.t, self.columns
        yield from self._head("OPENING SLIP", copy)
        yield from slip.paragraph(
            t("The journal is empty: no figure has been keyed in."), columns, bold=True
        )
        for contest in self.package.contests:
            yield from self._heading(contest.title, translate=False)
            for i, name in enumerate(contest.pairs):
                yield from slip.row("%d %s" % (i + 1, name), "0", columns)
            there = [pair for role, number, pair in present if number == contest.number]
            names = ", ".join(str(pair) for pair in there) or t("none")
            yield from slip.row(t("Witnesses present, pairs"), names, columns)
        supervised = any(role == SUPERVISOR_ROLE for role, _, _ in present)
        yield ("rule",)
        yield from slip.row(t("Supervisor"), t("present" if supervised else "absent"), columns)
        yield from self._seal(entry)
        if credential:
            yield from slip.paragraph(t("This kit's credential"), columns, align=slip.CENTRE)
            yield from self._codes(CREDENTIAL, credential)
        yield from self._tail("Keep this slip: the journal starts here.")

    def sent(self, acknowledged, copy):
        """Proof of sending: `acknowledged` [(contest number, ack record.Entry)…]."""
        t, columns = self.t, self.columns
        yield from self._head("PROOF OF SENDING", copy)
        for number, ack in acknowledged:
            _, quoted, received, index = ack.payload[:4]
            yield from slip.paragraph(self._contest(number).title, columns, bold=True)
            yield from slip.row(t("Record"), slip.groups(quoted[:4]), columns)
            yield from slip.paragraph(t("Received by the collector"), columns)
            yield from slip.paragraph(slip.clock(received, self.package.offset), columns, indent=2)
            if index is not None:
                yield from slip.row(t("Number in the public log"), str(index), columns)
            yield ("feed", 1)
            yield from self._codes(RECORD, ack.data)
            yield ("rule",)
        yield from self._tail("The code holds the collector's signature.")

    def closing(self, entry, copy):
        """The closing slip of the close event `entry`: number of entries and the chain's head."""
        t, columns = self.t, self.columns
        entries, head = entry.payload[4]
        yield from self._head("CLOSING SLIP", copy)
        yield from slip.paragraph(t("The kit is closed."), columns, bold=True)
        yield from slip.row(t("Entries in the journal"), str(entries), columns)
        yield from slip.paragraph(t("End of the chain"), columns)
        yield from slip.paragraph(slip.groups(head), columns, indent=2)
        yield from self._seal(entry)
        yield from self._tail("From now on only corrections, reprints and sending.")

    def _contest(self, number):
        for contest in self.package.contests:
            if contest.number == number:
                return contest
        raise ValueError("Contest %d is not in this station's package" % number)

    def _heading(self, text, translate=True):
        yield ("rule",)
        yield from slip.paragraph(self.t(text) if translate else text, self.columns, bold=True)

    def _banner(self):
        t, columns = self.t, self.columns
        yield from slip.paragraph(t("TRAINING"), columns, True, 2, slip.CENTRE)
        yield from slip.paragraph(t("not a real result"), columns, True, 1, slip.CENTRE)

    def _head(self, title, copy):
        t, columns, package = self.t, self.columns, self.package
        if copy.again:  # a print that was cut short may hang above this one
            yield from slip.paragraph(t("Tear off above this line"), columns, align=slip.CENTRE)
            yield ("rule",)
        if package.training:
            yield from self._banner()
            yield ("rule",)
        yield from slip.paragraph("SAKSI", columns, True, 2, slip.CENTRE)
        if copy.again:  # seen from across a table
            yield from slip.paragraph(t("COPY"), columns, True, 2, slip.CENTRE)
        for line, bold in caption(title, copy, t):
            yield from slip.paragraph(line, columns, bold, 1, slip.CENTRE)
        yield ("rule",)
        yield from slip.paragraph("TPS %03d" % package.tps, columns, True, 2, slip.CENTRE)
        yield from slip.paragraph("%013d" % package.station, columns, align=slip.CENTRE)
        labels = ("Village", "Subdistrict", "Regency or city", "Province")
        for i, label in enumerate(labels):
            yield from slip.row(t(label), package.regions[3 - i], columns)
        yield from slip.paragraph(package.title, columns)
        yield from slip.row(t("Mode"), t("TRAINING" if package.training else "official"), columns)
        yield ("rule",)

    def _replaced(self, extra):
        t, columns = self.t, self.columns
        yield from slip.row(
            t("Replaces record"), slip.groups(extra[record.REPLACES][:4]), columns, True
        )
        reason = CORRECTION_REASONS.get(extra.get(record.REASON, 0))
        if reason:
            yield from slip.paragraph("%s: %s" % (t("Reason"), t(reason)), columns)

    def _figures(self, form, values):
        t, columns = self.t, self.columns
        group = None
        for _, _, fields in form.pages:
            for field in fields:
                row, _, last = field.rpartition("_")
                start = "totals" if row == "" else ("dpt" if row.startswith("users") else row)
                if start != group:
                    group = start
                    yield ("rule",)
                    if group in _TABLES:
                        yield from slip.cells(t(_TABLES[group]), ("L", "P", "J"), columns, True)
                    else:
                        yield from slip.paragraph(t(_LISTS[group]), columns, True)
                value = slip.digits(values[field])
                if group == "votes" and len(form.pairs) > MOST_LARGE:
                    name = "%s %s" % (last, form.pairs[int(last) - 1])
                    yield from slip.row(name, value, columns, True)
                elif group == "votes":
                    big = columns // 2
                    yield from slip.row("No. " + last, value, big, True, 2)
                    yield from slip.paragraph(form.pairs[int(last) - 1], columns)
                elif group not in _TABLES:
                    yield from slip.row(form.label(field, t), value, columns, group == "totals")
                elif last == "l":
                    sexes = [slip.digits(values[row + sex]) for sex in ("_l", "_p", "_j")]
                    # The heading of a table of one row is the row's name.
                    name = "" if group == "disabled" else form.label(field, t)[:-2]
                    yield from slip.cells(name, sexes, columns)

    def _checks(self, form, values, extra):
        t, columns = self.t, self.columns
        findings = figures.broken(form, values, self.package.reserve)
        empty = figures.unchecked(form, values)
        yield from self._heading("ARITHMETIC")
        reasons = dict(extra.get(record.RULES, ()))
        for finding in findings:
            text = "%s %s" % (finding.rule, sentence(finding, form, t))
            yield from slip.paragraph(text, columns, bold=True)
            reason = RULE_REASONS.get(reasons.get(finding.number, -1))
            if reason:
                text = "%s: %s" % (t("Officers"), t(reason))
                yield from slip.paragraph(text, columns, indent=2)
        if empty:
            text = t("Not checked, a figure is empty: %s") % ", ".join(empty)
            yield from slip.paragraph(text, columns)
        if not findings and not empty:
            yield from slip.paragraph(t("All sums agree."), columns)

    def _seal(self, entry):
        """Time, record, kit and the QR code of the quoted entry."""
        t, columns = self.t, self.columns
        yield ("rule",)
        yield from slip.paragraph(slip.clock(entry.time, self.package.offset), columns)
        yield from slip.row(t("Entry"), str(entry.seq), columns)
        yield from slip.row(t("Record"), slip.groups(entry.rec_id[:4]), columns, True)
        yield from slip.row(t("Kit"), slip.groups(entry.kid), columns)
        yield from self._codes(RECORD, entry.data)

    def _codes(self, kind, data):
        """The QR code of `data`, or its parts with their numbers."""
        t, columns = self.t, self.columns
        codes = qr_parts.texts(self.package.receipt_host, kind, data, columns * DOTS)
        if len(codes) > 1:
            yield from slip.paragraph(
                t("Scan all %d codes, in any order.") % len(codes), columns, True, 1, slip.CENTRE
            )
        for i, code in enumerate(codes):
            if len(codes) > 1:
                line = t("Code %d of %d") % (i + 1, len(codes))
                yield from slip.paragraph(line, columns, align=slip.CENTRE)
            yield ("qr", code)

    def _tail(self, text):
        t, columns = self.t, self.columns
        yield from slip.paragraph(t(text), columns, align=slip.CENTRE)
        yield from slip.paragraph(
            self.package.receipt_host.lower(), columns, True, align=slip.CENTRE
        )
        if self.package.training:
            yield ("rule",)
            yield from self._banner()
        yield ("feed", 2)
        yield ("cut",)

"""A report as a table for people, or as JSON."""

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from firmware.slip import clock
from host_tools.verify.report import FAILED, OK, SKIPPED, WARNING, Report, Words, worst

# Name of a check -> its two short names; the sentence beside it is in one language.
TITLES = {
    "frame": "Bentuk / framing",
    "header": "Kepala / header",
    "low-s": "Bentuk tanda tangan / low-S",
    "shape": "Isi / fields",
    "role": "Jenis / kind",
    "key": "Kunci alat / kit's key",
    "signature": "Tanda tangan / signature",
    "election": "Pemilihan / election",
    "revoked": "Pencabutan / revocation",
    "station": "TPS / station",
    "mode": "Mode",
    "time": "Waktu / time",
    "figures": "Angka / figures",
    "package": "Paket / package",
    "bundle": "Daftar kunci / bundle",
    "authority": "Otoritas / authority",
    "log": "Log publik / public log",
    "photographs": "Foto / photographs",
    "superseded": "Pembetulan / correction",
    "manifest": "Daftar foto / manifest",
    "photograph": "Foto / photograph",
    "certificate": "Sertifikat / certificate",
    "chain": "Rantai / chain",
    "torn": "Akhir berkas / torn end",
    "pages": "Halaman / pages",
    "results": "Hasil / results",
    "slips": "Struk / slips",
    "close": "Penutupan / closing",
    "answers": "Jawaban server / answers",
    "tail": "Akhir rantai / tail",
    "read": "Pembacaan / reading",
    "misuse": "Penyalahgunaan / misuse",
    "other": "Alat lain / other kit",
    "aside": "Jurnal lain / put aside",
    "remains": "Sisa / what is left",
    "parts": "Bagian alat / parts",
    "unexpected": "Tak terduga / unforeseen",
}
_STATUS = {
    OK: ("BENAR ok", "green"),
    FAILED: ("GAGAL failed", "bold red"),
    WARNING: ("AWAS warning", "yellow"),
    SKIPPED: ("BELUM not checked", "dim"),
}
MOST = 40  # lines of a summary; the rest is in the CSV
_VERDICTS = ("SAH / VALID", "TIDAK SAH / NOT VALID", "BELUM DAPAT DIPASTIKAN / CANNOT TELL")

_SAME_PHOTO = (
    "YA, INI FOTO YANG DITANDATANGANI / YES, THIS IS THE PHOTOGRAPH THAT WAS SIGNED",
    "BUKAN / NO, this is not proved to be a photograph that was signed",
    "BELUM DAPAT DIPASTIKAN / CANNOT TELL",
)
_READY = ("SIAP / READY", "TIDAK SIAP / NOT READY", "BELUM DAPAT DIPASTIKAN / CANNOT TELL")
_SAID = {"photo": _SAME_PHOTO, "readiness": _READY}


def verdict(report: Report) -> str:
    """The verdict in both languages; training is part of it."""
    text = _SAID.get(report.subject, _VERDICTS)[report.exit_code]
    if report.exit_code == 0 and report.warned:
        text += " - dengan perhatian / with warnings"
    return f"LATIHAN / TRAINING: {text}" if report.facts.get("training") else text


def show(report: Report, where: str, t: Words, console: Console) -> None:
    """Print verdict, what the thing says, and every check."""
    colour = ("green", "bold red", "yellow")[report.exit_code]
    console.print(Text(verdict(report), style=colour), Text(where, style="dim"))
    facts = _facts(report, t)
    # What an invalid receipt says is not shown as if it were said by anybody.
    if facts and report.exit_code == 0:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
        for name, value in facts:
            table.add_row(Text(name), Text(value, style="bold"))
        console.print(table)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("Pemeriksaan / check", no_wrap=True)
    table.add_column("", overflow="fold")
    for check in report.checks:
        label, style = _STATUS[check.status]
        sentence = "\n".join([check.sentence(t), *("  " + line for line in check.below(t))])
        title = TITLES.get(check.name, check.name)
        table.add_row(Text(label, style=style), Text(title), Text(sentence))
    console.print(table)


def show_all(reports: list[tuple[str, Report]], t: Words) -> None:
    """Print every report on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    for where, report in reports:
        show(report, where, t, console)


def show_counts(reports: list[tuple[str, Report]], t: Words, console: Console) -> None:
    """Print what many receipts came to, and a line for each that somebody must look at."""
    from host_tools.verify.bulk import counts, row

    wanting = [(where, report) for where, report in reports if report.exit_code or report.warned]
    wanting.sort(key=lambda one: (one[1].exit_code != 1, one[1].exit_code == 0))
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("", overflow="fold")
    for where, report in wanting[:MOST]:
        style = ("yellow", "bold red", "yellow")[report.exit_code]
        label = ("AWAS warning", "TIDAK SAH not valid", "BELUM cannot tell")[report.exit_code]
        told = row(where, report, t)
        table.add_row(Text(label, style=style), Text(where), Text(str(told["said"])))
    if wanting:
        console.print(table)
    if len(wanting) > MOST:
        console.print(f"… {len(wanting) - MOST} lagi / more: --csv FILE", style="dim")
    found = counts(reports)
    console.print(
        f"{len(reports)} struk / receipts: {found.get('valid', 0)} sah / valid"
        f" ({found.get('with warnings', 0)} dengan perhatian / with warnings,"
        f" {found.get('training', 0)} LATIHAN / TRAINING),"
        f" {found.get('not valid', 0)} tidak sah / not valid,"
        f" {found.get('cannot tell', 0)} belum pasti / cannot tell"
    )


def _facts(report: Report, t: Words) -> list[tuple[str, str]]:
    facts = report.facts
    rows = []
    for key, label in (
        ("station", "TPS"),
        ("contest_title", "Pemilihan / contest"),
        ("form_code", "Formulir / form"),
        ("entries", "Entri / entries"),
        ("page", "Halaman / page"),
        ("serial", "Cip / chip"),
        ("firmware", "Perangkat lunak / firmware"),
    ):
        if key in facts:
            rows.append((label, str(facts[key])))
    if "quotes" in facts:
        rows.append(("Untuk catatan / for record", facts["quotes"][:8].upper()))
        rows.append(("Diterima / received", local(facts["received"], facts)))
    for name, value in report.values.items():
        if name.startswith("votes_") or "_" not in name:
            rows.append((_row(name, facts, t), "---" if value is None else str(value)))
    if "time" in facts:
        rows.append(("Waktu alat / kit's time", local(facts["time"], facts)))
    if "rec_id" in facts:
        rows.append(("Nomor catatan / record id", facts["rec_id"][:8].upper()))
    return rows


def _row(name: str, facts: dict, t: Words) -> str:
    if name.startswith("votes_"):
        number = int(name[6:])
        pairs = facts.get("pairs", ())
        return f"{number} {pairs[number - 1]}" if pairs else t("Votes for pair %s") % number
    return t({"valid": "Valid votes", "invalid": "Invalid votes", "total": "All votes"}[name])


def local(seconds: int, facts: dict) -> str:
    """A time with its offset: the station's when its package is at hand, else UTC."""
    text = clock(seconds, facts.get("utc_offset", 0))
    return text if "utc_offset" in facts else text.replace("(+00:00)", "UTC")


def dump(reports: list[tuple[str, Report]], t: Words) -> str:
    """All reports as one JSON text with the command's exit code."""
    listed = [{"where": where, **report.as_json(t)} for where, report in reports]
    code = worst([report for _, report in reports])
    return json.dumps({"exit": code, "reports": listed}, indent=2, ensure_ascii=False)

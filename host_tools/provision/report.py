"""The readiness report of one kit: a PDF to sign and file, and the same as JSON.

Neither holds a PIN or any other secret: there is no field for one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from firmware import cbor, record, slip
from host_tools.provision import papers, parts, readiness
from host_tools.provision.readiness import OUTCOMES, Readiness

TEMPLATE = "report"
MODES = {"live": "Pemilihan", "training": "Latihan"}
_VERDICTS = {
    "ready": ("SIAP DIGUNAKAN", "ready for use"),
    "failed": ("TIDAK SIAP", "not ready"),
    "unseen": ("BELUM SELESAI DIPERIKSA", "not fully checked"),
}
_OUTCOMES = {"passed": "lulus", "failed": "gagal", "not looked at": "belum diperiksa"}


@dataclass(frozen=True)
class Report:
    """All that the report says. `statement` was verified before (provision.readiness).

    `keys` {mode: 64 B X|Y}, `certificates` {mode: DER}, `regions` province to village, `offset`
    minutes east of UTC, `host` of the QR text (upper case, from the package), `details` {check: a
    line about what was found}, `technician` and `place`: who readied it, and where.
    """

    statement: Readiness
    kit: str
    board: str
    keys: Mapping[str, bytes]
    certificates: Mapping[str, bytes]
    title: str
    regions: tuple[str, str, str, str]
    tps: int
    offset: int
    package_version: int
    host: str
    technician: str
    place: str = ""
    details: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """ready, failed or unseen."""
        said = self.statement
        return "failed" if said.failed else "ready" if said.ready else "unseen"


def fingerprint(key: bytes) -> str:
    """A key's COSE thumbprint (RFC 9679) in groups of four hex digits; its kid is the first 8 B."""
    text = record.sha256(cbor.encode({1: 2, -1: 1, -2: key[:32], -3: key[32:]})).hex().upper()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def certificate_serial(der: bytes) -> str:
    """A certificate's serial number in hex."""
    number = x509.load_der_x509_certificate(der).serial_number
    return f"{number:X}"


def as_json(report: Report) -> dict[str, Any]:
    """The report's facts, with the signed statement in hex."""
    said = report.statement
    results = dict(said.results)
    listed = [*results, *(check for check in said.unseen if check not in results)]
    return {
        "kit": report.kit,
        "board": report.board,
        "verdict": report.verdict,
        **said.as_json(),
        "tps": report.tps,
        "regions": list(report.regions),
        "title": report.title,
        "package_version": report.package_version,
        "keys": {mode: fingerprint(key) for mode, key in report.keys.items()},
        "certificates": {m: certificate_serial(der) for m, der in report.certificates.items()},
        "results": [
            {
                "check": check,
                "name": readiness.name(check),
                "nama": parts.words(check)[0],
                "outcome": OUTCOMES.get(results.get(check, readiness.UNSEEN), "failed"),
                "detail": report.details.get(check, ""),
            }
            for check in listed
        ],
        "technician": report.technician,
        "place": report.place,
        "notes": list(report.notes),
        "statement": said.data.hex(),
        "code": readiness.code_text(report.host, said.data),
    }


def data(report: Report) -> dict[str, Any]:
    """What the template sets: the facts, and how they are written."""
    facts = as_json(report)
    for row in facts["results"]:
        row["hasil"] = _OUTCOMES[row["outcome"]]
    said = report.statement
    digest, package = said.digest.hex().upper(), said.package.hex().upper()
    return {
        **facts,
        "said": list(_VERDICTS[report.verdict]),
        "when": slip.clock(said.time, report.offset),
        "tps": f"{report.tps:03d}",
        "digest": [digest[i : i + 8] for i in range(0, 64, 8)],
        "package": [package[i : i + 8] for i in range(0, 64, 8)],
        "serial": slip.groups(said.serial),
        "kid": slip.groups(said.kid),
        "rec_id": slip.groups(record.rec_id(said.data)[:4]),
        "modes": [
            {
                "name": MODES[mode],
                "mode": mode,
                "key": facts["keys"][mode],
                "certificate": facts["certificates"].get(mode, ""),
                "signs": record.kid_of(key) == said.kid,
            }
            for mode, key in report.keys.items()
        ],
        "qr": papers.code(facts["code"]),
        "address": f"{report.host.lower()}",
    }


def write(folder: Path, report: Report) -> tuple[Path, Path]:
    """Write both files into `folder`; returns (PDF, JSON). PaperError, ReadinessError."""
    said = report.statement
    path = Path(folder) / papers.stem(report.kit, said.time, report.offset)
    pdf = papers.pdf(TEMPLATE, data(report), said.time)
    text = json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"
    return (
        papers.keep(path.with_name(path.name + ".pdf"), pdf),
        papers.keep(path.with_name(path.name + ".json"), text.encode()),
    )

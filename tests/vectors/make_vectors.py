"""Writes vectors.json: `python -m tests.vectors.make_vectors`. The same bytes every time."""

import json
from pathlib import Path

from firmware import cbor, qr_parts, qr_text, record
from tests.vectors import bad_payload, good, keys

FILE = Path(__file__).parent / "vectors.json"


def _manifests() -> list[dict]:
    """Manifests that must be refused (code 805), whoever names them."""
    page = good.page(1, 312345)
    cases = (
        ("version-2", "An unknown version", [2, [page], {}]),
        ("two-parts", "No map", [1, [page]]),
        ("page-digest-31", "A digest of 31 bytes", [1, [[1, bytes(31), 5]], {}]),
        ("page-without-size", "A page of two parts", [1, [page[:2]], {}]),
        ("page-negative", "A page with a negative size", [1, [[1, page[1], -1]], {}]),
        ("text-key", "A text key in the map", [1, [page], {"a": 1}]),
        ("negative-key", "A negative key in the map", [1, [page], {-1: 1}]),
        ("no-array", "A map instead of an array", {1: 2}),
    )
    made = [(name, about, cbor.encode(value)) for name, about, value in cases]
    made.append(("long-head", "Version 1 in two bytes", b"\x83\x18\x01\x80\xa0"))
    made.append(("trailing-byte", "A byte after the end", good.PUBLISHED_MANIFEST + b"\0"))
    return [
        {"name": name, "about": about, "code": record.BAD_MANIFEST, "hex": data.hex()}
        for name, about, data in made
    ]


def _qr_texts(data: bytes) -> list[dict]:
    """Texts of QR codes: `hex` is what they hold, null when they must be refused."""
    whole = qr_text.qr_text(good.HOST, qr_text.RECORD, data)
    head, _, digits = whole.partition("#")
    cut = len(digits) - 1 - (len(digits) - 1) % 17 + 1  # where the short last group begins
    accepted = [
        ("whole", "As printed", whole),
        ("from-the-mark", "What a page gets after #", "#" + digits),
        ("lower-case", "As a browser rewrites it", whole.lower()),
        ("line-end", "As a scanner types it", whole + "\r\n"),
    ]
    refused = [
        ("no-mark", "No #", head + digits),
        ("http", "Not https", whole.replace("HTTPS", "HTTP")),
        ("no-slash", "No / before #", whole.replace("/#", "#")),
        ("path", "A path before #", whole.replace("/#", "/R/#")),
        ("type-3", "Unknown type", whole.replace("#1", "#3")),
        ("no-digits", "Nothing after the type", head + "#1"),
        ("a-letter", "A letter O for a zero", whole[:-1] + "O"),
        ("a-space", "A space between groups", whole[: -len(digits) + 18] + " " + digits[18:]),
        ("a-digit-missing", "A last group of an impossible length", whole[:-1]),
        (
            "group-overflow",
            "17 digits that do not fit 7 bytes",
            f"{head}#1{2**56:017d}{digits[18:]}",
        ),
        (
            "last-group-overflow",
            "A last group that does not fit its bytes",
            f"{head}#{digits[:cut]}" + "9" * (len(digits) - cut),
        ),
        ("fullwidth-digit", "A digit that is not ASCII", whole[:-1] + "\uff11"),
    ]
    return [
        {
            "name": name,
            "about": about,
            "text": text,
            "hex": data.hex() if ok else None,
            "code": None if ok else qr_text.BAD_QR,
        }
        for ok, cases in ((True, accepted), (False, refused))
        for name, about, text in cases
    ]


def _parts(data: bytes) -> list[dict]:
    """A record in several codes: `hex` is what `texts` hold, null when they hold nothing yet."""
    texts = qr_parts.split(good.HOST, data, 300)
    bent = texts[0][:-1] + str((int(texts[0][-1]) + 1) % 10)
    at = texts[0].index("#") + 6  # where the mark begins
    marked = [text[:at] + f"{int(text[at : at + 10]) ^ 1:010d}" + text[at + 10 :] for text in texts]
    cases = [
        ("in-order", "As printed", texts, data.hex()),
        ("backwards", "In any order", texts[::-1], data.hex()),
        ("twice", "One scanned again, in lower case", [*texts, texts[0].lower()], data.hex()),
        ("one-missing", "A part is not there yet", texts[1:], None),
        ("bent", "A digit of a part is another", [bent, *texts[1:]], None),
        ("two-scans", "Two scans of a part that differ", [*texts, bent], None),
        ("other-mark", "Parts that name another record", marked, None),
    ]
    return [
        {"name": name, "about": about, "texts": listed, "hex": value}
        for name, about, listed, value in cases
    ]


def _misuse() -> dict:
    """Two entries with one place in the chain: both verify, together they prove misuse."""
    names = []
    v = good.Vectors()
    for name, figure in (("misuse-a", 1), ("misuse-b", 2)):
        v.add(
            name,
            "One of two entries with the same seq by one key",
            [1, good.LIVE, good.STATION, 1, 1, [figure], bytes(32), 9, good.GENESIS, good.START],
        )
        names.append(name)
    return {"about": "Same key, same seq, other rec-id: publish both", "entries": v.list}


def make() -> dict:
    """The whole file as a value."""
    v = good.make()
    data = bytes.fromhex(v.list[0]["hex"])
    return {
        "about": "Test vectors of Saksi's record (firmware/RECORD.md); see README.md beside this",
        "profile": "tps-record/1",
        "keys": [
            {
                "name": key.name,
                "role": key.role,
                "kid": key.kid.hex(),
                "public_key": key.point.hex(),
                "compressed": key.compressed().hex(),
            }
            for key in keys.ALL
        ],
        "chain": {
            "genesis": good.GENESIS.hex(),
            "entries": [x["name"] for x in v.list if x["kind"] <= record.EVENT and _chained(x)],
        },
        "good": v.list,
        "bad": bad_payload.make(v).list,
        "misuse": _misuse(),
        "manifests": _manifests(),
        "qr": _qr_texts(data),
        "parts": _parts(data),
    }


def _chained(vector: dict) -> bool:
    return not vector["name"].startswith(("result-12", "result-training"))


def text() -> str:
    """The file's text: JSON, one space of indent, ASCII."""
    return json.dumps(make(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
    value = make()
    print(f"{FILE.name}: {len(value['good'])} good, {len(value['bad'])} bad entries,", end=" ")
    print(f"{len(value['manifests'])} bad manifests, {len(value['qr'])} QR texts")

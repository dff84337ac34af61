"""What the verifier's tests share: the published vectors as files, a journal, QR pictures."""

import json
from functools import cache
from pathlib import Path

import segno
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from segno import consts

from firmware import qr_text, record
from host_tools.provision.bundle import Bundle, build_bundle, verify_bundle
from host_tools.verify.trust import Trust
from tests.vectors import good, keys

NOW = good.START + 3600
FILE = Path(__file__).parents[2] / "vectors" / "vectors.json"


@cache
def vectors() -> dict:
    return json.loads(FILE.read_text())


def entry_bytes(name: str) -> bytes:
    """The bytes of a good vector."""
    return next(bytes.fromhex(v["hex"]) for v in vectors()["good"] if v["name"] == name)


def bundle(name: str = "bundle") -> Bundle:
    return verify_bundle(entry_bytes(name), keys.AUTHORITY.point)


def bundle_of(entries, **changes) -> Bundle:
    """A bundle of the live election with other keys: [(key, station)]."""
    facts: dict = {
        "version": 4,
        "election": good.LIVE,
        "region": good.REGION,
        "issued": good.START,
        "next_issue": good.START + 86400,
        "revoked": [],
        **changes,
    }
    listed = [(key.point, station) for key, station in entries]
    return verify_bundle(
        build_bundle(entries=listed, signer=keys.AUTHORITY, **facts), keys.AUTHORITY.point
    )


def trust(**changes) -> Trust:
    return Trust(bundle(), keys.AUTHORITY.point, **changes)


def pem(key: keys.TestKey) -> bytes:
    public = key.private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_files(folder: Path) -> Path:
    """bundle.cbor, authority.pem and package.cbor in `folder`; returns it."""
    (folder / "bundle.cbor").write_bytes(entry_bytes("bundle"))
    (folder / "package.cbor").write_bytes(entry_bytes("package"))
    (folder / "authority.pem").write_bytes(pem(keys.AUTHORITY))
    return folder


def signed(payload: list, key: keys.TestKey = keys.KIT) -> bytes:
    return record.assemble(payload, key.kid, key.sign)


def qr(data: bytes, scale: int = 4) -> Image.Image:
    """A receipt's QR code as a grey picture, with the segments that the kit prints."""
    return picture(qr_text.qr_text(good.HOST, qr_text.RECORD, data), scale)


def picture(text: str, scale: int = 4) -> Image.Image:
    address, mark, digits = text.partition("#")
    modes = (consts.MODE_ALPHANUMERIC, consts.MODE_BYTE, consts.MODE_NUMERIC)
    parts = list(zip((address, mark, digits), modes, strict=True)) if mark else text
    code = segno.make_qr(parts, error="m", boost_error=False)
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(scale, 4)]
    return Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows))


def on_paper(*codes: Image.Image) -> Image.Image:
    """The codes one below the other on a grey table."""
    paper = Image.new("L", (600, 60 + sum(code.height + 60 for code in codes)), 190)
    y = 60
    for code in codes:
        paper.paste(code, (90, y))
        y += code.height + 60
    return paper

"""What is fuzzed: each target takes a generator and makes one input of its own.

A target raises AssertionError (or anything else) when the verifier does what it must not: crash,
say "valid" of bytes that no key signed, or take two encodings of one record for good.
"""

import random
import tempfile
from contextlib import suppress
from pathlib import Path

from firmware import cbor, record
from host_tools.provision.bundle import BundleError, verify_bundle
from host_tools.verify import quick
from host_tools.verify.card import Card
from host_tools.verify.journal import check_one
from host_tools.verify.many import Check
from host_tools.verify.read import ReadError, Scan, read, receipts
from host_tools.verify.receipt import check_receipt
from tests.fuzz import corpus, mutate
from tests.host_tools.verify import world
from tests.vectors import keys


def judged(data: bytes) -> None:
    """Whatever the bytes are: a verdict, no crash, and "valid" of what was signed alone."""
    report = check_receipt(data, corpus.trust(), world.NOW)
    assert report.status("unexpected") == "not checked", report.checks[-1]
    assert report.exit_code or data in corpus.originals(), "valid, but never signed"


def envelopes(dice: random.Random) -> None:
    """Valid objects with parts changed, knowing their structure."""
    judged(mutate.envelope(dice, dice.choice(corpus.entries())))


def raw_bytes(dice: random.Random) -> None:
    """Valid and refused objects with bytes changed, knowing nothing; also pure noise."""
    if dice.random() < 0.1:
        judged(dice.randbytes(dice.randrange(300)))
        return
    seeds = corpus.entries() if dice.random() < 0.8 else corpus.bad()
    judged(mutate.some_bytes(dice, dice.choice(seeds), corpus.entries()))


def numbers(dice: random.Random) -> None:
    """CBOR: what decodes has exactly one encoding; the two parsers of records see the same."""
    if dice.random() < 0.5:
        data = mutate.some_bytes(dice, cbor.encode(mutate.value(dice)), corpus.entries()[:1])
    else:
        data = mutate.some_bytes(dice, dice.choice(corpus.entries()), corpus.entries())
    with suppress(cbor.CborError):
        assert cbor.encode(cbor.decode(data)) == data, "two encodings of one value"
    seen = []
    for parse in (record.parse, quick.parse):
        try:
            seen.append(parse(data).payload)
        except record.RecordError as error:
            seen.append((error.code, error.text))
    assert seen[0] == seen[1], "two parsers, two opinions"


def scanned(texts: list[str]) -> None:
    """What some codes hold, as a scanner or a picture gives it."""
    try:
        found = receipts([Scan("fuzz", None, texts)])
    except ReadError as error:
        assert "\n" not in str(error)
        return
    for _, report in Check(corpus.trust(), world.NOW).all(found):
        assert report.status("unexpected") == "not checked", report.checks[-1]
    for one in found:
        wrong = one.problem is not None or one.missing is not None
        assert wrong == (one.data == b""), "half a receipt"
        if not wrong:
            judged(one.data)


def qr_texts(dice: random.Random) -> None:
    """One code's text, changed."""
    scanned([mutate.text(dice, dice.choice(corpus.texts()))])


def papers(dice: random.Random) -> None:
    """All the codes that a picture may give: several receipts, parts, other codes, in any order."""
    texts = [dice.choice(corpus.texts()) for _ in range(dice.randrange(1, 4))]
    texts += corpus.texts()[-5:] if dice.random() < 0.5 else []
    dice.shuffle(texts)
    at = dice.randrange(len(texts))
    if dice.random() < 0.8:
        texts[at] = mutate.text(dice, texts[at])
    if dice.random() < 0.3:
        del texts[dice.randrange(len(texts))]
    scanned(texts)


def bundles(dice: random.Random) -> None:
    """A trust bundle, changed: refused, or the one that the authority signed."""
    whole = world.entry_bytes("bundle")
    change = mutate.envelope if dice.random() < 0.5 else None
    data = change(dice, whole) if change else mutate.some_bytes(dice, whole, corpus.entries())
    try:
        bundle = verify_bundle(data, keys.AUTHORITY.point)
    except BundleError:
        return
    assert bundle.raw in corpus.originals(), "a bundle that nobody signed"


def files(dice: random.Random) -> None:
    """Files of pictures, texts and records, changed and read from disk."""
    kind = dice.randrange(3)
    if kind == 0:
        data = mutate.some_bytes(dice, dice.choice(corpus.pictures()), corpus.pictures())
    elif kind == 1:
        text = "\n".join(dice.choices(corpus.texts(), k=2)).encode(dice.choice(("utf-8", "utf-16")))
        data = mutate.some_bytes(dice, text, corpus.pictures())
    else:
        data = mutate.some_bytes(dice, dice.choice(corpus.entries()), corpus.pictures())
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        try:
            found = read(file.name)
        except ReadError as error:
            assert "\n" not in str(error)
            return
    for one in found:
        if one.problem is None and one.missing is None:
            judged(one.data)


def journals(dice: random.Random) -> None:
    """A kit's journal, changed: refused, or cut at its end and said to be."""
    whole = corpus.journal()
    data = mutate.some_bytes(dice, whole, [whole, *corpus.entries()])
    report = check_one(Card({"journal": data}, alone=True), "journal", None, corpus.trust(), 0)
    assert report.status("unexpected") == "not checked", report.checks[-1]
    told = report.status("torn") == "warning"
    assert report.exit_code or told or whole.startswith(data), "valid, but never written"


# Target -> its share of all inputs: what is quick and near to the signature gets most.
TARGETS = {
    envelopes: 0.34,
    raw_bytes: 0.30,
    numbers: 0.14,
    qr_texts: 0.135,
    papers: 0.05,
    bundles: 0.02,
    files: 0.01,
    journals: 0.005,
}

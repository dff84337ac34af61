"""The trust bundle: what was signed comes back, anything else is refused with its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import cbor, record
from host_tools.provision import bundle as bundles
from host_tools.provision.keys import SoftwareKey, to_point33

ELECTION, REGION = 202402, 1607
FIRST = 1607012001001
KEYS = [SoftwareKey.generate().public_key() for _ in range(6)]


def build(signer, entries=None, **changes) -> bytes:
    entries = [(key, FIRST + n) for n, key in enumerate(KEYS)] if entries is None else entries
    values = {
        "version": 3,
        "election": ELECTION,
        "region": REGION,
        "issued": 1000,
        "next_issue": 2000,
        "revoked": [],
    }
    return bundles.build_bundle(entries=entries, signer=signer, **{**values, **changes})


def sign(signer, payload) -> bytes:
    return record.assemble(payload, signer.kid(), signer.sign)


def points(*pairs):
    return [[to_point33(key), station] for key, station in pairs]


def refused(raw, authority, reason, **expected):
    with pytest.raises(bundles.BundleError, match=reason):
        bundles.verify_bundle(raw, authority.signing.public_key(), **expected)


def test_every_key_is_found_by_its_kid(authority, tmp_path):
    lost = record.kid_of(KEYS[2])
    path = tmp_path / bundles.file_name(REGION, 3)
    path.write_bytes(build(authority.signing, revoked=[lost]))
    assert path.name == "bundle-1607-3.cbor"
    bundle = bundles.load_bundle(path, authority.signing.public_key(), ELECTION, 3)
    assert (bundle.version, bundle.election, bundle.region) == (3, ELECTION, REGION)
    assert not bundle.training
    for n, key in enumerate(KEYS):
        kid = record.kid_of(key)
        assert bundle.key(kid) == key
        assert bundle.station(kid) == FIRST + n
        assert bundle.revoked(kid) == (n == 2)
    assert bundle.key(bytes(8)) is None
    assert bundle.station(bytes(8)) is None
    assert not bundle.revoked(bytes(8))
    assert bundle.entries() == [(key, FIRST + n) for n, key in enumerate(KEYS)]


def test_the_order_given_does_not_matter(authority):
    entries = [(key, FIRST + n) for n, key in enumerate(KEYS)]
    one = record.parse(build(authority.signing, entries)).payload
    other = record.parse(build(authority.signing, entries[::-1])).payload
    assert one == other


def test_a_spare_kit_has_station_0(authority):
    raw = build(authority.signing, [(KEYS[0], 0)])
    bundle = bundles.verify_bundle(raw, authority.signing.public_key())
    assert bundle.station(record.kid_of(KEYS[0])) == bundles.SPARE


def test_an_old_bundle_is_stale_and_still_valid(authority):
    bundle = bundles.verify_bundle(build(authority.signing), authority.signing.public_key())
    assert not bundle.stale(2000)
    assert bundle.stale(2001)


def test_every_altered_byte_is_refused(authority):
    raw = build(authority.signing)
    for at in range(len(raw)):
        altered = bytearray(raw)
        altered[at] ^= 0x01
        with pytest.raises(bundles.BundleError):
            bundles.verify_bundle(bytes(altered), authority.signing.public_key())


def test_another_authoritys_bundle_is_refused(authority, stranger):
    refused(build(stranger.signing), authority, "not this authority's")


def test_a_signature_under_a_borrowed_kid_is_refused(authority, stranger):
    payload = record.parse(build(authority.signing)).payload
    forged = record.assemble(payload, authority.signing.kid(), stranger.signing.sign)
    refused(forged, authority, "signature is wrong")


def test_a_bundle_for_another_election_is_refused(authority):
    refused(build(authority.signing), authority, "for election 202402, not 202411", election=202411)


def test_a_bundle_older_than_the_known_one_is_refused(authority):
    refused(build(authority.signing), authority, "version 3, but 4 is already known", at_least=4)


def test_another_signed_object_is_no_bundle(authority):
    ack = sign(authority.signing, [record.ACK, bytes(32), 1, None, None, None])
    refused(ack, authority, "kind 36, not a bundle")
    refused(b"", authority, "not a signed bundle")
    refused(b"rubbish", authority, "not a signed bundle")


def test_a_missing_file_is_named(authority, tmp_path):
    with pytest.raises(bundles.BundleError, match=r"none\.cbor: cannot be read"):
        bundles.load_bundle(tmp_path / "none.cbor", authority.signing.public_key())


def test_what_the_authority_must_not_sign_is_refused_when_building(authority):
    cases = [
        ("in region 1607", {"entries": [(KEYS[0], 1608012001001)]}),
        ("listed twice", {"entries": [(KEYS[0], FIRST), (KEYS[0], FIRST + 1)]}),
        ("not sorted", {"entries": [(KEYS[0], FIRST), (KEYS[0], FIRST)]}),
        ("next issue", {"next_issue": 1000}),
        ("version", {"version": -1}),
        ("revoked", {"revoked": [b"short"]}),
    ]
    for reason, changes in cases:
        with pytest.raises(bundles.BundleError, match=reason):
            build(authority.signing, **changes)


def test_and_refused_again_when_loading_though_rightly_signed(authority):
    head = [record.BUNDLE, 3, ELECTION, REGION, 1000, 2000]
    a, b = (KEYS[0], FIRST), (KEYS[1], FIRST + 1)
    kid = bytes(8)
    cases = [
        ("not sorted", points(b, a), []),
        ("in region 1607", points((KEYS[0], 1608012001001)), []),
        ("listed twice", points(a, (KEYS[0], FIRST + 1)), []),
        ("not a P-256 key", [[b"\x02" + b"\xff" * 32, FIRST]], []),
        ("not a P-256 key", [[b"\x05" + to_point33(KEYS[0])[1:], FIRST]], []),
        ("revoked list is not sorted", points(a), [kid, kid]),
    ]
    for reason, listed, revoked in cases:
        refused(sign(authority.signing, [*head, listed, revoked]), authority, reason)
    late = [record.BUNDLE, 3, ELECTION, REGION, 2000, 2000, [], []]
    refused(sign(authority.signing, late), authority, "next issue")


def test_a_regency_has_its_measured_size(authority):
    # 846 TPS is the average regency; the specification measured 38,177 B without the election.
    entries = [(SoftwareKey.generate().public_key(), FIRST + n) for n in range(846)]
    raw = build(authority.signing, entries)
    assert 38_100 < len(raw) < 38_250
    bundle = bundles.verify_bundle(raw, authority.signing.public_key())
    assert len(bundle.kids()) == 846


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_rubbish_is_a_bundle_error_and_nothing_else(authority, data):
    with pytest.raises(bundles.BundleError):
        bundles.verify_bundle(data, authority.signing.public_key())


ITEM = st.recursive(
    st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=40), st.none(), st.booleans()),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(fields=st.lists(ITEM, min_size=6, max_size=8))
def test_signed_rubbish_is_a_bundle_error_and_nothing_else(authority, fields):
    payload = cbor.encode([record.BUNDLE, *fields])
    kid = authority.signing.kid()
    signature = authority.signing.sign(record.signed_digest(kid, payload))
    frame = cbor.Tag(18, [cbor.encode({1: -7, 4: kid}), {}, payload, signature])
    with pytest.raises(bundles.BundleError):
        bundles.verify_bundle(cbor.encode(frame), authority.signing.public_key())

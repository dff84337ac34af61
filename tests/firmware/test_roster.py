from firmware import record, roster, saved
from tests.firmware.support import raises, temp_dir
from tests.firmware.test_enrol import Key

AUTHORITY, OTHER = Key(b"authority"), Key(b"other")
SARI, BUDI, RELEASER = Key(b"sari"), Key(b"budi"), Key(b"releaser")
STATION = 1607012001001


def kid(key):
    return record.kid_of(key.public_key())


def signed(version=1, region=1607, names=("CONTOH SARI", "CONTOH BUDI"), signer=AUTHORITY):
    keys = {"CONTOH SARI": SARI, "CONTOH BUDI": BUDI}
    technicians = [[name, keys[name].public_key()] for name in names]
    payload = [38, version, region, 1700000000, 1800000000, technicians, [RELEASER.public_key()]]
    return record.assemble(payload, kid(signer), signer.sign)


def check(data, held=None, station=None, verify=AUTHORITY.verify):
    return roster.check(data, AUTHORITY.public_key(), verify, held, station)


def take(store, data):
    return roster.take(store, data, AUTHORITY.public_key(), AUTHORITY.verify, STATION)


def load(store):
    return roster.load(store, AUTHORITY.public_key(), AUTHORITY.verify)


def code(kind, function, *args):
    return raises(kind, function, *args).code


def test_a_roster_names_its_technicians_and_releasers():
    seen = check(signed())
    assert (seen.version, seen.region) == (1, 1607)
    assert (seen.issued, seen.until) == (1700000000, 1800000000)
    assert seen.technician(kid(SARI)) == ("CONTOH SARI", SARI.public_key())
    assert seen.technician(kid(RELEASER)) is None
    assert seen.releaser(kid(RELEASER)) == RELEASER.public_key()
    assert seen.releaser(kid(SARI)) is None
    assert seen.is_releaser(RELEASER.public_key()) and seen.is_releaser(kid(RELEASER))
    assert not seen.is_releaser(SARI.public_key()) and not seen.is_releaser(kid(SARI))


def test_only_the_authority_s_signature_counts():
    refused = roster.ROSTER_NOT_SIGNED
    assert code(roster.RosterError, check, signed(signer=OTHER)) == refused
    # The authority's key id over a stranger's signature, and a changed name.
    payload = record.parse(signed()).payload
    forged = record.assemble(payload, kid(AUTHORITY), OTHER.sign)
    assert code(roster.RosterError, check, forged) == refused
    altered = signed().replace(b"SARI", b"SIRA")
    assert code(roster.RosterError, check, altered) == refused


def test_a_chip_that_does_not_clearly_say_yes_says_no():
    for answer in (None, 0, 1, b"\x01", False):
        error = raises(roster.RosterError, check, signed(), None, None, lambda *_, a=answer: a)
        assert error.code == roster.ROSTER_NOT_SIGNED


def test_a_kit_without_an_authority_takes_no_roster():
    error = raises(roster.RosterError, roster.check, signed(), None, AUTHORITY.verify, None)
    assert error.code == roster.NO_AUTHORITY_YET


def test_another_kind_is_no_roster_though_the_authority_signed_it():
    other = record.assemble([33, 1, 1607, 5, []], kid(AUTHORITY), AUTHORITY.sign)
    assert code(roster.RosterError, check, other) == roster.NOT_A_ROSTER
    for rubbish in (b"", b"rubbish", signed()[:-1]):
        raises(record.RecordError, check, rubbish)


def test_versions_only_grow():
    held = check(signed(5))
    assert code(roster.RosterError, check, signed(4), held) == roster.OLDER_ROSTER
    assert check(signed(5), held).version == 5
    two_of_one_version = signed(5, names=("CONTOH BUDI",))
    assert code(roster.RosterError, check, two_of_one_version, held) == roster.OLDER_ROSTER
    assert check(signed(6), held).version == 6


def test_a_roster_of_another_region_is_refused():
    held = check(signed(1))
    assert code(roster.RosterError, check, signed(9, 1608), held) == roster.OTHER_REGION
    assert code(roster.RosterError, check, signed(9, 1608), None, STATION) == roster.OTHER_REGION
    assert check(signed(9), held, STATION).version == 9


def test_the_kit_keeps_the_highest_version_and_shuts_out_who_is_no_longer_on_it():
    store = temp_dir()
    assert load(store) is None
    take(store, signed(1))
    assert load(store).technician(kid(SARI)) is not None
    take(store, signed(2, names=("CONTOH BUDI",)))
    assert load(store).version == 2
    assert load(store).technician(kid(SARI)) is None
    assert code(roster.RosterError, take, store, signed(1)) == roster.OLDER_ROSTER
    assert load(store).technician(kid(SARI)) is None


def test_a_damaged_roster_names_nobody_until_a_good_one_comes():
    store = temp_dir()
    take(store, signed(3))
    saved.replace(store + "/roster.cbor", signed(3, signer=OTHER))
    assert code(roster.RosterError, load, store) == roster.ROSTER_NOT_SIGNED
    saved.replace(store + "/roster.cbor", signed(3)[:50])
    raises(record.RecordError, load, store)
    assert code(roster.RosterError, take, store, signed(9, signer=OTHER)) == 871
    raises(record.RecordError, load, store)
    take(store, signed(3))
    assert load(store).version == 3

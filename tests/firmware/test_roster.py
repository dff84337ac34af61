import os

from firmware import record, roster
from tests.firmware.support import raises, temp_dir
from tests.firmware.test_enrol import Key

AUTHORITY, STRANGER, TECHNICIAN = Key(b"authority"), Key(b"stranger"), Key(b"technician")


def made(version=1, region=1607, until=2000, technicians=None, signer=AUTHORITY):
    rows = [["TEKNISI CONTOH", TECHNICIAN.public]] if technicians is None else technicians
    payload = [record.ROSTER, version, region, 1000, until, rows, [STRANGER.public]]
    return record.assemble(payload, record.kid_of(signer.public), signer.sign)


def keep(store, data):
    return roster.keep(store, data, AUTHORITY.public, Key(b"chip").verify)


def refused(code, function, *args):
    error = raises(roster.RosterError, function, *args)
    assert error.code == code, error.code


def test_a_signed_roster_is_kept_and_names_its_technicians():
    store = temp_dir()
    assert roster.held_roster(store) is None
    keep(store, made())
    held = roster.held_roster(store)
    assert (held.version, held.region, held.until) == (1, 1607, 2000)
    kid = record.kid_of(TECHNICIAN.public)
    assert held.technician(kid) == ("TEKNISI CONTOH", TECHNICIAN.public)
    assert held.technician(record.kid_of(STRANGER.public)) is None
    assert held.releasers == [STRANGER.public]


def test_a_roster_of_another_signer_or_altered_or_none_is_refused():
    store = temp_dir()
    refused(roster.NOT_SIGNED, keep, store, made(signer=STRANGER))
    forged = bytearray(made())
    forged[-1] ^= 1
    refused(roster.NOT_SIGNED, keep, store, bytes(forged))
    refused(roster.NOT_A_ROSTER, keep, store, b"rubbish")
    revocation = [record.REVOCATION, 1, 1607, 1000, []]
    other = record.assemble(revocation, record.kid_of(AUTHORITY.public), AUTHORITY.sign)
    refused(roster.NOT_A_ROSTER, keep, store, other)
    data = made()
    refused(roster.NOT_SIGNED, roster.check, data, None, Key(b"chip").verify)
    refused(roster.NOT_SIGNED, roster.check, data, AUTHORITY.public, lambda *_: 1)
    assert os.listdir(store) == []


def test_nobody_who_was_taken_off_comes_back_by_an_older_roster():
    store = temp_dir()
    keep(store, made())
    keep(store, made(2, technicians=[]))
    refused(roster.OLDER_ROSTER, keep, store, made(1))
    refused(roster.OLDER_ROSTER, keep, store, made(3, region=1608))
    assert roster.held_roster(store).technician(record.kid_of(TECHNICIAN.public)) is None
    keep(store, made(2, technicians=[]))  # the same again is fine


def test_a_damaged_roster_is_told_and_replaced_by_a_signed_one():
    store = temp_dir()
    keep(store, made())
    with open(store + "/roster.cbor", "wb") as file:
        file.write(b"half")
    refused(roster.NOT_A_ROSTER, roster.held_roster, store)
    keep(store, made())
    assert roster.held_roster(store).version == 1

from firmware import csr

# Made with the published test key of RECORD.md and RFC 6979 nonces; `cryptography` and openssl
# accept both requests (tests/host_tools/provision/test_requests.py).
KEY = bytes.fromhex(
    "515d59f4cedb40150eee4b00297c94b6ab91b24e52f6aa2a8d941e5431a48c6f"
    "c37a08cdd5ce066657e435b6a70102e6a1240ed11c88b0186d9ee4bf47b58e0d"
)
SERIAL = "0123A1B2C3D4E5F6EE"
LIVE_DIGEST = bytes.fromhex("38bc1fed135c453d472b14e058c7ccc9a04a16daaa76b14f9b34e16d867484a8")
LIVE_SIGNATURE = bytes.fromhex(
    "93f8d727a7c92bd5028ba3023e6df8c63faea7fd019f96d86db567edbe2318d6"
    "1f91f9aa1a8c6d9a7b59713d352bc73ee535cf8c4d96b0894d83eca9c2fabc18"
)
LIVE = bytes.fromhex(
    "308201063081ad020100304b310b3009060355040613024944310c300a060355040a0c034b5055311b30190603550405"
    "13123031323341314232433344344535463645453111300f06035504030c084b49542d303030313059301306072a8648"
    "ce3d020106082a8648ce3d03010703420004515d59f4cedb40150eee4b00297c94b6ab91b24e52f6aa2a8d941e5431a4"
    "8c6fc37a08cdd5ce066657e435b6a70102e6a1240ed11c88b0186d9ee4bf47b58e0da000300a06082a8648ce3d040302"
    "034800304502210093f8d727a7c92bd5028ba3023e6df8c63faea7fd019f96d86db567edbe2318d602201f91f9aa1a8c"
    "6d9a7b59713d352bc73ee535cf8c4d96b0894d83eca9c2fabc18"
)
TRAINING_DIGEST = bytes.fromhex("d70f641fe65cfcad47207bc2b2b6a4d21153c6e548604c10df3e9fee828991d4")
TRAINING_SIGNATURE = bytes.fromhex(
    "791acb7446fd8761e02c540595afb0c90301575a2fba82785e29875ec2b1940a"
    "6792d88686ef634475298c812bcadaf81fb505ce3b66fde8d9b00ef6b2f58808"
)


def test_a_request_is_built_byte_for_byte():
    signed = []

    def sign(digest):
        signed.append(digest)
        return LIVE_SIGNATURE

    assert csr.csr(SERIAL, "KIT-0001", False, KEY, sign) == LIVE
    assert signed == [LIVE_DIGEST]


def test_a_training_request_says_latihan():
    def sign(digest):
        assert digest == TRAINING_DIGEST
        return TRAINING_SIGNATURE

    request = csr.csr(SERIAL, "KIT-0001", True, KEY, sign)
    assert len(request) == 283
    assert b"\x06\x03\x55\x04\x0b\x0c\x07LATIHAN" in request


def test_signature_numbers_are_der_integers():
    low = bytes(31) + b"\x01"
    assert csr.signature_der(low + low).hex() == "3006020101020101"
    high = b"\x80" + bytes(31)
    assert csr.signature_der(high + low) == (
        b"\x30\x26\x02\x21\x00\x80" + bytes(31) + b"\x02\x01\x01"
    )
    assert csr.signature_der(bytes(64)).hex() == "3006020100020100"


def test_lengths_take_the_fewest_bytes():
    assert csr.tlv(4, bytes(127))[:2] == b"\x04\x7f"
    assert csr.tlv(4, bytes(128))[:3] == b"\x04\x81\x80"
    assert csr.tlv(4, bytes(255))[:3] == b"\x04\x81\xff"
    assert csr.tlv(4, bytes(256))[:4] == b"\x04\x82\x01\x00"

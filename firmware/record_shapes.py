"""Kinds of records, and the shape of each payload behind its kind (RECORD.md, section 4)."""

from firmware.compat import const

RESULT = const(1)
CORRECTION = const(2)
EVENT = const(3)
READINESS = const(4)
BUNDLE = const(32)
REVOCATION = const(33)
ACK = const(36)
PACKAGE = const(37)
ROSTER = const(38)
ASSIGNMENT = const(39)
RELEASE = const(40)


def is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_digest(value):
    return isinstance(value, bytes) and len(value) == 32


def _is_null_or(test):
    return lambda value: value is None or test(value)


def _is_figures(value):
    if not isinstance(value, list) or not value:
        return False
    return all(n is None or is_uint(n) for n in value)


def _is_list(value):
    return isinstance(value, list)


def _is_rows(*tests):
    """Test of a list of rows with these fields."""

    def test(value):
        if not isinstance(value, list):
            return False
        for row in value:
            if not (isinstance(row, list) and len(row) == len(tests)):
                return False
            if not all([tests[i](row[i]) for i in range(len(tests))]):
                return False
        return True

    return test


def _is_list_of(test):
    return lambda value: isinstance(value, list) and all([test(item) for item in value])


def _is_text(value):
    return isinstance(value, str) and 0 < len(value) <= 64


def _is_bytes(size):
    return lambda value: isinstance(value, bytes) and len(value) == size


_is_kid = _is_bytes(8)
_is_key = _is_bytes(64)

_CHAIN = (("seq", is_uint), ("prev", is_digest), ("time", is_uint))
_STATEMENT = (
    ("election", is_uint),
    ("station", is_uint),
    ("contest", is_uint),
    ("form", is_uint),
    ("figures", _is_figures),
    ("manifest", is_digest),
) + _CHAIN
SHAPES = {
    RESULT: _STATEMENT,
    CORRECTION: _STATEMENT,
    EVENT: (
        ("election", is_uint),
        ("station", is_uint),
        ("event", is_uint),
        ("detail", _is_list),
    )
    + _CHAIN,
    READINESS: (
        ("serial", _is_bytes(9)),
        ("firmware", _is_text),
        ("digest", is_digest),
        ("election", is_uint),
        ("station", is_uint),
        ("package", is_digest),
        ("time", is_uint),
        ("results", _is_rows(is_uint, is_uint)),
    ),
    BUNDLE: (
        ("version", is_uint),
        ("election", is_uint),
        ("region", is_uint),
        ("issued", is_uint),
        ("next", is_uint),
        ("points", _is_rows(_is_bytes(33), is_uint)),
        ("revoked", _is_list_of(_is_kid)),
    ),
    REVOCATION: (
        ("version", is_uint),
        ("region", is_uint),
        ("issued", is_uint),
        ("revoked", _is_rows(_is_kid, is_uint, is_uint)),
    ),
    ACK: (
        ("record", is_digest),
        ("received", is_uint),
        ("index", _is_null_or(is_uint)),
        ("size", _is_null_or(is_uint)),
        ("root", _is_null_or(is_digest)),
    ),
    PACKAGE: (
        ("version", is_uint),
        ("election", is_uint),
        ("station", is_uint),
        ("issued", is_uint),
        ("content", lambda value: isinstance(value, dict)),
    ),
    ROSTER: (
        ("version", is_uint),
        ("region", is_uint),
        ("issued", is_uint),
        ("until", is_uint),
        ("technicians", _is_rows(_is_text, _is_key)),
        ("releasers", _is_list_of(_is_key)),
    ),
    ASSIGNMENT: (
        ("election", is_uint),
        ("station", is_uint),
        ("kit", _is_kid),
        ("replaces", _is_null_or(_is_kid)),
        ("reason", is_uint),
        ("issued", is_uint),
    ),
    RELEASE: (
        ("version", _is_list_of(is_uint)),
        ("board", _is_text),
        ("issued", is_uint),
        ("files", is_digest),
        ("size", is_uint),
    ),
}

"""The kit's settings: one table of name, default, allowed values and help.

A value on flash that is out of range is not used: the default is, and `refused` names it.
"""

from firmware.saved import Saved


class Digits:
    """Allowed values of a setting that is typed as digits: none, or `least` to `most` of them."""

    def __init__(self, least, most):
        self.least = least
        self.most = most

    def __contains__(self, value):
        return not value or (value.isdigit() and self.least <= len(value) <= self.most)

    def __iter__(self):
        yield "none or %d to %d digits" % (self.least, self.most)


# name, default, allowed (a tuple of choices or a range of whole numbers), help
TABLE = (
    ("language", "id", ("id", "en"), "Language of screens and paper"),
    (
        "printer",
        "epson",
        ("epson", "epson80", "clone", "clone80", "cheap", "cheap80"),
        "Printer: confirms jobs (epson), tells status (clone), one byte (cheap); 58 or 80 mm",
    ),
    ("sim_pin", "", Digits(4, 8), "PIN of the SIM card; entered once, never on its last try"),
    (
        "sms_after",
        600,
        range(5, 86401),
        "Time without data after which results go by SMS, s",
    ),
    ("sms_limit", 60, range(0, 1001), "SMS that the kit may send in one election; 0 sends none"),
    ("backoff_ms", 2000, range(10, 60001), "First wait of the relay after a fault, ms"),
)


def allowed(name, value):
    """True when `value` may be the setting `name`."""
    for row, default, choices, _ in TABLE:
        if row == name:
            return type(value) is type(default) and value in choices
    return False


class Settings:
    """Settings kept in file `path`: read with get, change with set."""

    def __init__(self, path):
        self._saved = Saved(path)
        self._values = {}
        self.refused = []
        for name, value in (self._saved.load() or {}).items():
            if allowed(name, value):
                self._values[name] = value
            else:
                self.refused.append(name)

    def get(self, name):
        """The setting's value, or its default; KeyError for an unknown name."""
        for row, default, _, _ in TABLE:
            if row == name:
                return self._values.get(name, default)
        raise KeyError(name)

    def set(self, name, value):
        """Change and store a setting; ValueError when the value is not allowed."""
        if not allowed(name, value):
            raise ValueError("setting %s cannot be %r" % (name, value))
        self._values[name] = value
        self._saved.store(self._values)

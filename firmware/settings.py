"""The kit's settings: one table of name, default, allowed values and help.

A value on flash that is out of range is not used: the default is, and `refused` names it.
"""

from firmware.saved import Saved

# name, default, allowed (a tuple of choices, or ("from", low, high)), help
TABLE = (
    ("language", "id", ("id", "en"), "Language of screens and paper"),
    ("printer", "epson", ("epson", "cheap"), "Printer profile: answers when printed, or not"),
    ("columns", 32, (32, 48), "Characters a line: 32 on 58 mm paper, 48 on 80 mm"),
    ("backoff_ms", 2000, ("from", 10, 60000), "First wait of the relay after a fault, ms"),
    ("poll_ms", 10, ("from", 1, 100), "Pause between two looks at the keys, ms"),
)


def allowed(name, value):
    """True when `value` may be the setting `name`."""
    for row, default, choices, _ in TABLE:
        if row == name:
            if choices[0] == "from":
                whole = isinstance(value, int) and not isinstance(value, bool)
                return whole and choices[1] <= value <= choices[2]
            return value in choices and type(value) is type(default)
    return False


class Settings:
    """Settings kept in file `path`: read with get, change with set."""

    def __init__(self, path):
        self._saved = Saved(path)
        self._values = {}
        self.refused = []
        for name, value in self._saved.load({}).items():
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

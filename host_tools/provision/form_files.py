"""Forms by their code, as the station package carries them; the files are host_tools/sheet/forms.

One file a form, for drawing it and for recording it: the page drawn is the page signed.
"""

from functools import cache

from firmware.forms import Form, FormError
from host_tools.sheet import layout


class FormFileError(Exception):
    """A form's file that cannot be used; the text names it and says why."""


@cache
def _all() -> dict[str, layout.Form]:
    return {form.code: form for form in map(_load, layout.names())}


def _load(name: str) -> layout.Form:
    try:
        form = layout.load(name)
        Form(form.record_form(), ["A"])
    except (ValueError, KeyError, TypeError, FormError) as error:
        raise FormFileError(f"form {name}: {error}") from error
    return form


def codes() -> list[str]:
    """The codes of the forms that have a file."""
    return sorted(_all())


def load_form(code: str) -> list:
    """The form's array for the package; FormFileError for an unknown code."""
    return sheet(code).record_form()


def reserve_permille(code: str) -> int:
    """Ballots delivered above the DPT, per mille, that this form's rules expect."""
    return sheet(code).reserve_permille


def sheet(code: str) -> layout.Form:
    """The form as it is drawn; FormFileError for an unknown code."""
    if code not in _all():
        raise FormFileError(f"form {code} is not known; known: {', '.join(codes())}")
    return _all()[code]

"""Points in time as an office types them, in Unix seconds."""

from datetime import UTC, datetime, timedelta, timezone

# A day begins first in the east: a key revoked "since the 20th" must not be believed anywhere then.
WIT = timezone(timedelta(hours=9))


class MomentError(ValueError):
    """Not a point in time; the text says how to write one."""


def parse(text: str) -> int:
    """Unix seconds of `2024-11-20` (its start in WIT) or `2024-11-20T10:00+07:00`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MomentError(
            f"{text}: write a date as 2024-11-20 or 2024-11-20T10:00+07:00"
        ) from error
    if moment.tzinfo is None:
        if len(text) > len("2024-11-20"):
            raise MomentError(f"{text}: say in which zone: {text}+07:00 is WIB, +09:00 is WIT")
        moment = moment.replace(tzinfo=WIT)
    return int(moment.timestamp())


def show(seconds: int) -> str:
    """The same in UTC, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"

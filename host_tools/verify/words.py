"""The words of a report: words/<language>.json beside this file, then the kit's own words."""

from pathlib import Path

from firmware.language import Words as KitWords
from host_tools.verify.report import Words

FOLDER = Path(__file__).parent / "words"


def words(language: str) -> Words:
    """A function from an English sentence to `language`; English for what has no translation."""
    ours, kits = KitWords(language, str(FOLDER)), KitWords(language)

    def say(sentence: str) -> str:
        said = ours(sentence)
        return kits(sentence) if said == sentence else said

    return say

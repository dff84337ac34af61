"""The words on screens and paper: one JSON file a language, the English sentence is the key."""

import json

_FOLDER = __file__.rsplit("/", 1)[0] + "/words"


class Words:
    """`words(sentence)` gives the sentence in `language`, or as it stands when it has none."""

    def __init__(self, language, folder=_FOLDER):
        self.language = language
        try:
            with open("%s/%s.json" % (folder, language)) as file:
                self._table = json.load(file)
        except (OSError, ValueError):
            self._table = {}  # the kit works on in English rather than not at all

    def __call__(self, sentence):
        return self._table.get(sentence, sentence)

    def say(self, item):
        """Text of `item`: a sentence, or (sentence with %s and %d, values…), translated inside too.

        Names and numbers that have no translation stay as they are.
        """
        if isinstance(item, tuple):
            values = tuple(self.say(v) if isinstance(v, (str, tuple)) else v for v in item[1:])
            return self(item[0]) % values
        return self(item)


def english(item):
    """The same in English: what a log calls a screen in every language."""
    if isinstance(item, tuple):
        values = tuple(english(v) if isinstance(v, (str, tuple)) else v for v in item[1:])
        return item[0] % values
    return item

"""Which access point (APN) for which SIM card.

The package carries one line of text, `;` between entries: `[digits:]apn[,user,password]`. Digits
are how the card's IMSI (51010 = one operator) or ICCID (8962 10...) begins, so one package serves
kits with cards of several operators: "51010:internet;51001:indosatgprs,user,pass;internet".
"""


def rows(text):
    """[(digits, apn, user, password)…] of the line; what cannot go into a command is left out."""
    found = []
    for entry in text.split(";"):
        digits, colon, rest = entry.partition(":")
        if not colon:
            digits, rest = "", entry
        parts = [part.strip() for part in rest.split(",")] + ["", ""]
        digits = digits.strip()
        good = '"' not in entry and "\r" not in entry and (digits.isdigit() or not digits)
        if parts[0] and good:
            found.append((digits, parts[0], parts[1], parts[2]))
    return found


def choose(table, imsi, iccid):
    """The rows to try with this card, the best first: by its digits, then those for any card.

    All of them when none fits: a card may be of an operator that uses another's network.
    """
    known = [
        row for row in table if row[0] and (imsi.startswith(row[0]) or iccid.startswith(row[0]))
    ]
    known.sort(key=lambda row: -len(row[0]))
    return known + [row for row in table if not row[0]] or list(table)

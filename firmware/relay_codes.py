"""What can go wrong in the relay: codes, and the sentence that the status shows."""

from firmware.compat import const

BUSY = const(361)
BAD_ACK = const(362)
ODD_REPLY = const(363)
ENTRY_REFUSED = const(364)
PHOTO_MISSING = const(365)
PHOTO_REFUSED = const(366)
NO_LINE = const(367)
PHOTO_AWAY = const(368)

TEXTS = {
    BUSY: "The collector is busy: the kit tries again by itself.",
    BAD_ACK: "The collector's acknowledgement is not valid: tell the technician if this stays.",
    ODD_REPLY: "The collector's reply is not as agreed: tell the technician if this stays.",
    ENTRY_REFUSED: "The collector refused an entry: tell the technician.",
    PHOTO_MISSING: "A photograph is not on the card as signed: tell the technician.",
    PHOTO_REFUSED: "The collector refused a photograph: tell the technician.",
    PHOTO_AWAY: "A photograph is on a card that is not in the kit: put the card in.",
    NO_LINE: "There is no connection: the kit tries again by itself.",
}

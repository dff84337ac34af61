"""Why something was not taken in: one table of codes, with the HTTP status and what each means.

The code travels in the header `Saksi-Reason`, one sentence in the body. After 400, 413, 415 and 422
the same bytes will never be accepted: the kit must not send them again. 5xx: later, `Retry-After`.
"""

REASONS: dict[str, tuple[int, str]] = {
    "submission": (400, "the body is not [entry, manifest, certificate, signatures] in CBOR"),
    "method": (405, "the method is not for this address"),
    "media-type": (415, "the Content-Type is not the one this address takes"),
    "too-big": (413, "the body is longer than allowed or declared"),
    "idle": (408, "the line was silent for too long"),
    "framing": (422, "the entry is not a tagged COSE_Sign1 in deterministic CBOR"),
    "header": (422, "the entry's header is not exactly ES256 and an 8-byte key id"),
    "high-s": (422, "the signature is not in its low-S form"),
    "shape": (422, "the payload has not the fields of its kind, or a number is out of range"),
    "kind": (422, "kits do not sign this kind of record"),
    "kid": (422, "no trust bundle lists the signing key"),
    "revoked": (422, "the signing key was revoked"),
    "signature": (422, "the signature does not verify"),
    "mode": (422, "a training key signed for a live election, or a live key for training"),
    "election": (422, "the signing key is not listed for this election"),
    "station": (422, "the signing key is not listed for this station"),
    "certificate": (422, "the certificate is not of this kit or not from a known regional CA"),
    "manifest": (422, "the manifest is uncalled for, malformed or not the one signed"),
    "correction": (422, "the correction does not name the record that it replaces"),
    "tus-version": (412, "only tus 1.0.0 is spoken here"),
    "tus-header": (400, "an upload header is missing or malformed"),
    "unknown": (404, "no accepted entry has or names this"),
    "undeclared": (403, "no accepted entry names a photograph with this digest"),
    "full": (507, "the collector's disk is full"),
    "storage": (503, "the collector's storage does not answer"),
}


class Refused(Exception):
    """Not taken in. `reason` is a code of REASONS, `sentence` one line for a person."""

    def __init__(self, reason: str, sentence: str):
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence

    @property
    def status(self) -> int:
        """The HTTP status of the reason."""
        return REASONS[self.reason][0]


class SetupError(Exception):
    """The collector cannot start; the text says in one line what to do."""

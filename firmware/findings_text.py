"""A broken rule as a sentence for officers and witnesses, with both numbers (figures.py)."""

# Left and right of figures.Finding, in this order; %s is the row's name.
_SENTENCES = {
    "R1": "%s: L + P is %d, but J says %d",
    "R2": "%s: %d, but the categories add up to %d",
    "R3": "%s: %d, more than the %d voters in DPT",
    "R4": "Ballots received %d, but used, returned and unused add up to %d",
    "R5": "Ballots used %d, but users are %d",
    "R6": "%s: %d, more than the %d received",
    "R7": "Valid votes %d, but the pairs add up to %d",
    "R8": "All votes %d, but valid and invalid add up to %d",
    "R9 users": "All votes %d, but users are %d",
    "R9 ballots": "All votes %d, but ballots used are %d",
    "R11": "Disabled users %d, more than the %d users",
    "R12": "Ballots received %d, but DPT with reserve is %d",
    "R13": "%s: %d, above the usual limit of %d",
    "R14": "%s: %d here, %d in the other contest",
}

# Why a rule is broken, as the officers say: the reason's number in the manifest -> sentence.
RULE_REASONS = {
    0: "As written on the paper",
    1: "Counted again, the paper is right",
    2: "Mistake on the paper, noted in the incident form",
    3: "A ballot was lost or one too many was found",
    4: "A voter signed but did not vote",
    5: "Fewer or more ballots were delivered",
    6: "Voters with disabilities or of another list were added",
}

# Why a result is corrected: the reason's number in the manifest -> sentence.
CORRECTION_REASONS = {
    1: "Keyed in wrongly",
    2: "The paper was corrected and signed",
    3: "Counted again at the TPS",
    4: "The photograph was not readable",
}


def sentence(finding, form, t):
    """What does not agree, in words of `t`: 'Suara sah 427, tetapi jumlah paslon 429'."""
    rule, fields = finding.rule, finding.fields
    if rule == "R11" and len(fields) == 3:
        rule = "R1"
    if rule == "R9":
        rule = "R9 ballots" if "ballots_used" in fields else "R9 users"
    text = t(_SENTENCES[rule])
    sides = (finding.left, finding.right)
    if not text.startswith("%s"):
        return text % sides
    name = form.label(fields[-1] if rule == "R1" else fields[0], t)
    if rule == "R1":
        name = name[:-2]  # the row's name without its " J"
    return text % ((name,) + sides)

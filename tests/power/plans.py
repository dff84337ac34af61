"""The two days of the proof."""


def plan_of(seed):
    """An even seed is a live day with incidents, an odd one a training day with NIHIL."""
    training = bool(seed % 2)
    return {
        "training": training,
        "incidents": 0 if training else 2,
        "early_incidents": 0 if training else 1,
        "retake": [2],
        "broken": [[0, "valid", 2]],
        "typos": [[0, "votes_2"], [1, "invalid"]],
        "stands": {"0-2": "Refused to sign", "1-2": "Absent"},
    }

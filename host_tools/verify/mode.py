"""Live or training: a training record is valid, and counts for nothing."""

from firmware import record
from host_tools.verify.report import OK, WARNING, Check, Report

_LIVE = Check("mode", OK, "A live election")
_TRAINING = Check(
    "mode", WARNING, "LATIHAN / TRAINING: this is not a result of any election"
)  # fmt: skip


def check(report: Report, election: int) -> None:
    """Say the mode of an election by its number; a training one is said loudly."""
    training = record.is_training(election)
    report.facts["training"] = training
    report.checks.append(_TRAINING if training else _LIVE)

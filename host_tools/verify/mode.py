"""Live or training: a training record is valid, and counts for nothing."""

from firmware import record
from host_tools.verify.report import Report


def check(report: Report, election: int) -> None:
    """Say the mode of an election by its number; a training one is said loudly."""
    report.facts["training"] = record.is_training(election)
    if report.facts["training"]:
        report.warn("mode", "LATIHAN / TRAINING: this is not a result of any election")
    else:
        report.ok("mode", "A live election")

"""Secrets that a person types: never shown, and asked for only where a person sits."""

import sys

import typer


def on_terminal() -> bool:
    """True when someone can be asked."""
    return sys.stdin.isatty()


def ask(question: str) -> str | None:
    """What is typed, or None where nobody can be asked."""
    return typer.prompt(question, hide_input=True, err=True) if on_terminal() else None


def ask_new(question: str) -> str | None:
    """The same for a new secret, which is typed twice."""
    if not on_terminal():
        return None
    return typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)

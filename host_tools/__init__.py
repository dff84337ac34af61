"""Saksi's host tools: everything behind the kit, under the one command `saksi`."""

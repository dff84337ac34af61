"""The virtual kit: the real firmware against emulated parts that speak the parts' own bytes."""

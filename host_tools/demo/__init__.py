"""`saksi demo`: the whole chain once on one machine, from a blank chip to a verified receipt."""

"""How other simulators count, stated as rules of our own to compare with; no machine uses them."""

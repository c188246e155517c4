"""How several series are told apart in a chart, also without colour."""

# Okabe and Ito, "Color Universal Design", 2008.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

MARKERS = "osD^vPX"
"""As matplotlib calls them."""

SYMBOLS = {"o": "circle", "D": "diamond", "*": "star", "s": "square", "^": "triangle-up",
           "v": "triangle-down", "P": "cross", "X": "x"}  # fmt: skip
"""Plotly's names of matplotlib's markers."""

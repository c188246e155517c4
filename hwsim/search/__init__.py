"""Bit-allocation search: measured tables, an exact front, and its points measured for real."""

from hwsim.search.chart import front_chart
from hwsim.search.confirmation import Agreement, Origin, Point
from hwsim.search.measurement import BuildGraph, Figures, Measurement, Pictures, Target, output_mse
from hwsim.search.recommendation import recommend
from hwsim.search.request import Limits, Objective, SearchRequest
from hwsim.search.result import SearchResult
from hwsim.search.search import search

__all__ = [
    "Agreement",
    "BuildGraph",
    "Figures",
    "Limits",
    "Measurement",
    "Objective",
    "Origin",
    "Pictures",
    "Point",
    "SearchRequest",
    "SearchResult",
    "Target",
    "front_chart",
    "output_mse",
    "recommend",
    "search",
]

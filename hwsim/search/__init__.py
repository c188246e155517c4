"""Bit-allocation search: measured tables, an exact front, and its points measured for real."""

from hwsim.search.certified import Certificate
from hwsim.search.chart import front_chart, front_png
from hwsim.search.confirmation import Agreement, Origin, Point
from hwsim.search.evaluation import BuildGraph, Pictures, Target, output_mse
from hwsim.search.export import policy_tables, tables_json, write_cost_table
from hwsim.search.limits import Limits, cycles_within
from hwsim.search.measurement import Figures, Measurement
from hwsim.search.predicted_surface import PredictedSurface, predicted_surface
from hwsim.search.recommendation import recommend
from hwsim.search.request import SearchRequest
from hwsim.search.resource import Resource
from hwsim.search.result import SearchResult
from hwsim.search.rules import Allowed, LayerRules
from hwsim.search.search import search

__all__ = [
    "Agreement",
    "Allowed",
    "BuildGraph",
    "Certificate",
    "Figures",
    "LayerRules",
    "Limits",
    "Measurement",
    "Origin",
    "Pictures",
    "Point",
    "PredictedSurface",
    "Resource",
    "SearchRequest",
    "SearchResult",
    "Target",
    "cycles_within",
    "front_chart",
    "front_png",
    "output_mse",
    "policy_tables",
    "predicted_surface",
    "recommend",
    "search",
    "tables_json",
    "write_cost_table",
]

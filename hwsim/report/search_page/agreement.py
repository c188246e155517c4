"""Predicted beside simulated: how far the tables can be trusted."""

from dataclasses import dataclass

from hwsim.report.page.blocks import Alternative, Card, Cards, Figure, Json
from hwsim.report.search_page.points import LEGEND, series_of
from hwsim.report.search_page.quantities import Quantity, decibels, quantity_of, signed
from hwsim.search import Point, SearchResult
from hwsim.search.measurement import Figures

_HEIGHT_PX = 420


@dataclass(frozen=True, slots=True)
class _Pair:
    """A policy that has a prediction."""

    point: Point
    predicted: Figures

    @property
    def difference_db(self) -> float:
        """Predicted less simulated fidelity; infinite where one of them is."""
        predicted_db, simulated_db = self.predicted.psnr_db, self.point.measured.psnr_db
        return 0.0 if predicted_db == simulated_db else predicted_db - simulated_db

    def excess(self, quantity: Quantity) -> float:
        """By which share of the simulated cost the predicted one is higher."""
        simulated = quantity.amount(self.point.measured)
        return quantity.amount(self.predicted) / simulated - 1 if simulated else 0.0


def agreement_cards(found: SearchResult) -> Cards:
    """Rank correlations and the worst errors, of error and of the cost on the front."""
    quantity, agreement = quantity_of(found.request.resource), found.agreement
    pairs = _pairs(found)
    cards = [
        Card("rank correlation of errors", _correlation(agreement.mse), _counted(agreement.points)),
        Card(
            f"rank correlation of {quantity.name}",
            _correlation(agreement.cost),
            _counted(agreement.points),
        ),
    ]
    if pairs:
        worst = max(pairs, key=lambda pair: abs(pair.difference_db))
        cards.append(
            Card(
                "worst prediction of fidelity",
                f"{signed(worst.difference_db, 2)} dB",
                f"{worst.point.label}: {decibels(worst.predicted.psnr_db)} predicted, "
                f"{decibels(worst.point.measured.psnr_db)} simulated",
            )
        )
        worst = max(pairs, key=lambda pair: abs(pair.excess(quantity)))
        cards.append(
            Card(
                f"worst prediction of {quantity.name}",
                f"{signed(100 * worst.excess(quantity), 1)} %",
                f"{worst.point.label}: {quantity.number(worst.predicted)} predicted, "
                f"{quantity.number(worst.point.measured)} simulated",
            )
        )
    return Cards(tuple(cards))


def agreement_figure(found: SearchResult) -> Figure:
    """Fidelity and the front's cost, predicted against simulated."""
    quantity = quantity_of(found.request.resource)
    predicted = {id(pair.point): pair.predicted for pair in _pairs(found) if pair.predicted.mse > 0}
    fidelity: list[Json] = []
    cost: list[Json] = []
    for trace, points in series_of(
        found, [point for point in found.points if id(point) in predicted]
    ):
        expected = [predicted[id(point)] for point in points]
        fidelity.append(
            {
                **trace,
                "x": [figures.psnr_db for figures in expected],
                "y": [point.measured.psnr_db for point in points],
            }
        )
        cost.append(
            {
                **trace,
                "showlegend": False,
                "xaxis": "x2",
                "yaxis": "y2",
                "x": [quantity.amount(figures) for figures in expected],
                "y": [quantity.amount(point.measured) for point in points],
            }
        )
    layout: Json = {
        "xaxis": {"domain": [0, 0.44], "title": {"text": "predicted fidelity [dB]"}},
        "yaxis": {"title": {"text": "simulated fidelity [dB]"}},
        "xaxis2": {"domain": [0.56, 1], "title": {"text": f"predicted {quantity.title}"}},
        "yaxis2": {"anchor": "x2", "title": {"text": f"simulated {quantity.title}"}},
        "legend": LEGEND,
        "hovermode": "closest",
        "margin": {"t": 60, "r": 20, "b": 45, "l": 60},
        "shapes": [_diagonal(fidelity, ""), _diagonal(cost, "2")],
    }
    return Figure(
        "agreement-chart",
        "What the tables predict beside what the integer graph and the schedule of the same policy "
        "do. On the dashed line both agree.",
        _HEIGHT_PX,
        (Alternative("agreement", (*fidelity, *cost), layout),),
    )


def _pairs(found: SearchResult) -> list[_Pair]:
    return [_Pair(point, point.predicted) for point in found.points if point.predicted is not None]


def _correlation(coefficient: float | None) -> str:
    return "–" if coefficient is None else f"{coefficient:.4f}"


def _counted(points: int) -> str:
    return f"Spearman's, of {points} policies"


def _diagonal(traces: list[Json], number: str) -> Json:
    values = [value for trace in traces for axis in ("x", "y") for value in trace[axis]]
    least, most = min(values, default=0.0), max(values, default=0.0)
    return {
        "type": "line", "xref": f"x{number}", "yref": f"y{number}",
        "x0": least, "y0": least, "x1": most, "y1": most, "layer": "below",
    }  # fmt: skip

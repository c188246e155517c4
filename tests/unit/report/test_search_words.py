"""What a search tells of its proof, and of how far it can be trusted."""

from dataclasses import replace

from hwsim.report.search import proof, trust
from hwsim.search import Limits
from tests.unit.search.test_search import REQUEST, run

LIMITED = replace(REQUEST, limits=Limits(min_psnr_db=25.0), run_on_machine=True)


def test_a_proof_says_how_close_it_is() -> None:
    found = run(LIMITED)
    assert found.optimum is not None
    proven = replace(found, optimum=replace(found.optimum, value=1000, bound=1000))
    assert proof(proven).endswith("within the limits: proven, with a gap of 0.")
    open_ended = replace(found, optimum=replace(found.optimum, value=1000, bound=900))
    assert proof(open_ended).endswith("no policy has less than 90.0% of it.")
    assert proof(replace(found, optimum=None)) == "By the tables no policy keeps to the limits."


def test_trust_counts_policies_and_integers() -> None:
    found = run(LIMITED)
    words = trust(found)
    assert words.startswith(f"Predictions for {found.agreement.points} measured policies")
    checked = [point.on_machine for point in found.points if point.on_machine is not None]
    values = sum(check.values for check in checked)
    assert f"Run on the machine, {len(checked)} of them gave {values:,} integers, 0 of" in words

"""``hwsim verify --oracles``: other engines' checks join the report, missing engines are named."""

import json
from types import SimpleNamespace

import pytest

from hwsim.cli import main
from hwsim.cli.commands import verify
from hwsim.verify import Check
from hwsim.verify.oracles import network_suite, suite
from hwsim.verify.oracles.findings import Findings

OURS = Check("add", "int64 reference", "any widths", 1, 10, 0, None)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = SimpleNamespace(graph=None)
    monkeypatch.setattr(verify, "load_subject", lambda *arguments, **options: subject)
    monkeypatch.setattr(verify, "verify", lambda *arguments, **options: [OURS])


@pytest.mark.parametrize("mismatches", [0, 3])
def test_checks_of_oracles_count(
    mismatches: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = Check("convolution", "an engine", "xnnpack", 1, 10, mismatches, "row 0")
    findings = Findings([theirs], ["another engine: not asked"])
    network = Check("edsr", "an engine", "xnnpack", 1, 10, 0, None)
    found = Findings([network], ["a third engine: not asked"])
    monkeypatch.setattr(suite, "verify_oracles", lambda seed, progress: findings)
    monkeypatch.setattr(network_suite, "verify_networks", lambda seed, progress: found)
    status = main(["verify", "--oracles", "--json"])
    printed = capsys.readouterr()
    oracles = [check["oracle"] for check in json.loads(printed.out)["checks"]]
    assert oracles == ["int64 reference", "an engine", "an engine"]
    assert "another engine: not asked\n" in printed.err
    assert "a third engine: not asked\n" in printed.err
    assert status == (1 if mismatches else 0)


def test_engines_are_not_asked_unless_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(suite, "verify_oracles")
    monkeypatch.delattr(network_suite, "verify_networks")
    assert main(["verify", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["checks"]) == 1

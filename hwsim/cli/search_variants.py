"""The variants of a co-search: machines and methods, as the arguments name them."""

from argparse import Namespace

from accelerators import EnergyModel
from hwsim.cli.distinct import distinct
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_METHOD
from hwsim.cli.search_inputs import (
    MachineGraphs,
    most_cycles,
    search_pictures,
    search_request,
)
from hwsim.cli.search_provenance import search_provenance
from hwsim.cli.subject import FloatSubject, load_float_subject
from hwsim.report.provenance import Provenance
from hwsim.search import Pictures, SearchRequest, Target
from hwsim.search.codesign import Variant
from hwsim.torch_threads import one_thread_of_torch
from quant.graph.adaptive import normalizes_at_run_time


def method_names(arguments: Namespace) -> tuple[str, ...]:
    """The methods of ``--method``.

    Raises:
        UserError: there is no such method, or it is given twice.
    """
    from quant.methods import method_named

    given = arguments.method or [DEFAULT_METHOD]
    return distinct([str(method_named(name)) for name in given], "method")


class SearchVariants:
    """Machines with methods; the network is calibrated once for each method and rounding."""

    def __init__(self, arguments: Namespace, messages: Messages) -> None:
        self._arguments = arguments
        self._messages = messages
        self._subjects: dict[tuple[str, str], FloatSubject] = {}
        self._normalizing: dict[str, bool] = {}

    def variant(self, method: str, energy: EnergyModel) -> Variant:
        """A machine with a method.

        Raises:
            UserError: what is asked makes no sense, anything wrong with network, weights or
                calibration pictures, or the method cannot quantize the network so.
        """
        arguments, machine = self._arguments, energy.accelerator
        subject = self._subject(method, energy)
        request = search_request(arguments, subject.scale, most_cycles(arguments, machine))
        target = Target(machine, energy, request.image_size)
        build = MachineGraphs(subject.encode, machine, arguments.overflow)
        label = f"{machine.name}, {method}"
        return Variant(
            label, method, target, request, build, self._normalizes(method, request, build)
        )

    def pictures(self) -> Pictures:
        """What fidelity is judged on, once there is a variant.

        Raises:
            UserError: the folder of pictures cannot be read.
        """
        subject = next(iter(self._subjects.values()))
        return search_pictures(subject, self._arguments.pictures)

    def provenance(self, variant: Variant, base_sha256: str, pictures: Pictures) -> Provenance:
        """What the figures of a variant rest on, the graph of its base policy among it."""
        own, energy = self._arguments_of(variant.method), variant.target.energy
        return search_provenance(own, variant.request, energy, pictures, base_sha256)

    def _normalizes(self, method: str, request: SearchRequest, build: MachineGraphs) -> bool:
        """Whether a method normalizes at run time.

        Raises:
            UserError: it cannot quantize the network so, which is told before any search.
        """
        if method not in self._normalizing:
            with one_thread_of_torch():
                graph = build(request.base_policy)
            self._normalizing[method] = normalizes_at_run_time(graph)
        return self._normalizing[method]

    def _subject(self, method: str, energy: EnergyModel) -> FloatSubject:
        rounding = self._arguments.rounding or energy.accelerator.requantizer.rounding
        subject = self._subjects.get((method, rounding))
        if subject is None:
            arguments = self._arguments_of(method)
            subject = load_float_subject(arguments, self._messages, accelerator=energy.accelerator)
            self._subjects[method, rounding] = subject
        return subject

    def _arguments_of(self, method: str) -> Namespace:
        """The arguments of a search with one method."""
        return Namespace(**{**vars(self._arguments), "method": method})

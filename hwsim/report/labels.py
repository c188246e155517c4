"""How things of the result are called where people read them."""

from hwsim.report.result import Result

_COMPONENTS = {"mac_array": "MAC array", "sram": "SRAM", "dram": "DRAM"}


def component_label(component: str) -> str:
    """A component of the energy account in words."""
    return _COMPONENTS.get(component, component.replace("_", " "))


def unit_label(unit: str) -> str:
    """A unit of the clock in words."""
    return "DMA channel" if unit == "dma" else component_label(unit)


def subject_label(result: Result) -> str:
    """What was run on what: network, method and bits, accelerator."""
    quantized = " ".join(filter(None, (result.method, result.policy)))
    return f"{result.network} ({quantized or 'integer graph'}) on {result.accelerator}"

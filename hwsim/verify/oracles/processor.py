"""What engines compute on the processor at hand."""

import platform
from functools import cache

from llvmlite.binding import get_host_cpu_features

Need = str | None
"""Why an engine is not asked on this processor; None where it is."""


@cache
def exact_products_of_8_bits() -> Need:
    """Whether engines multiply u8 by s8 codes without saturating sums of two products at 16 bits.

    On x86 they do so with ``vpmaddubsw`` unless there is VNNI.
    """
    features = get_host_cpu_features()
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    if features.get("avx512vnni") or features.get("avxvnni"):
        return None
    return "this processor has no VNNI, without which sums of two products saturate at 16 bits"


@cache
def one_product_of_scales() -> Need:
    """Whether oneDNN multiplies a sum by one product of input and weight scale.

    Its AVX-512 kernels multiply by one after the other (docs/operators/requantization/onednn.md);
    those for AVX2 and AMX do not.
    """
    features = get_host_cpu_features()
    if features.get("avx512f") and not features.get("amx-int8"):
        return "on this processor oneDNN multiplies by input and weight scale one after the other"
    return None


def nothing_special() -> Need:
    """For engines that compute the same on every processor."""
    return None

"""The reference model of TOSA as an oracle: RESCALE with single and double rounding.

``tosa-opt`` makes a flatbuffer of a function in MLIR; the model runs it. Both come with tosa-tools.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

import numpy as np
import tosa_reference_model
from numpy.typing import NDArray

from hwsim.verify.oracles.rescale_cases import Rescale

SINGLE, DOUBLE = "SINGLE_ROUND", "DOUBLE_ROUND"

_FUNCTION = """
func.func @main(%sums: tensor<{shape}xi32>) -> tensor<{shape}xi8> {{
  %multiplier = "tosa.const"() {{values = dense<{multiplier}> : tensor<{channels}xi32>}}
    : () -> tensor<{channels}xi32>
  %shift = "tosa.const"() {{values = dense<{shift}> : tensor<{channels}xi8>}}
    : () -> tensor<{channels}xi8>
  %input_zero = "tosa.const"() {{values = dense<0> : tensor<1xi32>}} : () -> tensor<1xi32>
  %output_zero = "tosa.const"() {{values = dense<{zero}> : tensor<1xi8>}} : () -> tensor<1xi8>
  %codes = tosa.rescale %sums, %multiplier, %shift, %input_zero, %output_zero
    {{rounding_mode = {rounding}, scale32 = true, per_channel = true, input_unsigned = false,
      output_unsigned = false}}
    : (tensor<{shape}xi32>, tensor<{channels}xi32>, tensor<{channels}xi8>, tensor<1xi32>,
       tensor<1xi8>) -> tensor<{shape}xi8>
  return %codes : tensor<{shape}xi8>
}}
"""


def rescale(case: Rescale, rounding: str) -> NDArray[np.int32]:
    """Output codes of RESCALE, int32 of the sums' shape.

    Args:
        case: of signed 8-bit codes.
        rounding: `SINGLE` or `DOUBLE`.
    """
    function = _FUNCTION.format(
        shape="x".join(str(axis) for axis in case.sums.shape),
        channels=case.sums.shape[2],
        multiplier=case.multiplier.tolist(),
        shift=case.shift.tolist(),
        zero=case.zero_point,
        rounding=rounding,
    )
    (codes,), status = tosa_reference_model.run(_serialized(function), [case.sums])
    if status != tosa_reference_model.GraphStatus.TOSA_VALID:
        raise ValueError(f"TOSA's reference model gives {status} for {case}")
    found: NDArray[np.int32] = codes.astype(np.int32)
    return found


def _serialized(function: str) -> bytes:
    """The flatbuffer of a function."""
    beside = Path(sys.executable).with_name("tosa-opt")
    program = str(beside) if beside.exists() else which("tosa-opt") or "tosa-opt"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rescale.tosa")
        subprocess.run(
            [program, "-", "--tosa-serialize", f"--tosa-flatbuffer-filename={path}"],
            input=function,
            text=True,
            check=True,
            capture_output=True,
        )
        return path.read_bytes()

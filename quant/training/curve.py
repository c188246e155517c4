"""The course of a run as a picture."""

from pathlib import Path

from quant.common.files import atomic_output
from quant.training.progress import read_log


def draw_curve(log: Path, path: Path) -> None:
    """Draw loss and validation quality over the steps of a run, as a PNG file.

    Args:
        log: the JSON lines of the run.
        path: the picture.

    Raises:
        UserError: the picture cannot be written.
    """
    from matplotlib.figure import Figure  # slow to import, and only needed once, at the end

    entries = read_log(log)
    judged = [entry for entry in entries if entry["psnr_db"] is not None]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    loss_axes = figure.subplots()
    loss_axes.plot([e["iteration"] for e in entries], [e["loss"] for e in entries], color="#0072B2")
    loss_axes.set(xlabel="iteration", ylabel="mean absolute error (pixels in 0..1)", yscale="log")
    if judged:
        quality_axes = loss_axes.twinx()
        iterations, psnr = zip(*((e["iteration"], e["psnr_db"]) for e in judged), strict=True)
        quality_axes.plot(iterations, psnr, color="#D55E00", marker="o")
        quality_axes.set_ylabel("validation luma PSNR (dB, orange)")
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)

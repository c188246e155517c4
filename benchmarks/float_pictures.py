"""The pictures of docs/results/float_networks.md: one photograph by several networks.

    python benchmarks/float_pictures.py mobile_sr_x2 edsr_baseline_x2 --out docs/images/float_x2.jpg

The astronaut of scikit-image (NASA, public domain), which no network was trained on, is reduced
bicubically and enlarged by bicubic and by every network with its shipped weights.
"""

import argparse
from pathlib import Path

from PIL import Image

from hwsim.report.pictures import Panel, draw_comparison
from quant.imaging import bicubic_downscale, bicubic_upscale, crop_to_multiple, sample_photograph
from quant.imaging.evaluation import judge
from quant.networks import load_network, network_config
from quant.networks.inference import super_resolve

QUALITY = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="+", help="of one scale, with shipped weights")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    arguments = parser.parse_args()
    (scale,) = {network_config(name).scale for name in arguments.networks}
    original = crop_to_multiple(sample_photograph("astronaut"), scale)
    low = bicubic_downscale(original, scale)
    pictures = {f"bicubic x{scale}": bicubic_upscale(low, scale)}
    pictures |= {name: super_resolve(load_network(name), low) for name in arguments.networks}
    panels = [
        Panel(name, picture, f"{judge(original, picture, scale).psnr_db:.2f} dB luma PSNR")
        for name, picture in pictures.items()
    ]
    # The detail is where the first two differ most: bicubic and original.
    panels.insert(1, Panel("original", original))
    picture = draw_comparison(panels)
    Image.fromarray(picture).save(arguments.out, quality=QUALITY, subsampling=0)


if __name__ == "__main__":
    main()

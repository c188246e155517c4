"""The loop of an encoder."""

from hwsim.arithmetic._jit import StoredCodes, Wide, kernel


@kernel
def encode(
    codes: StoredCodes,
    means: Wide,
    reciprocals: Wide,
    drops: Wide,
    thresholds: Wide,
    out: StoredCodes,
) -> None:
    """``codes`` and ``out`` are [pixels, channels], ``thresholds`` [channels, codes − 1]."""
    pixels, channels = codes.shape
    for pixel in range(pixels):
        for channel in range(channels):
            scaled = (codes[pixel, channel] - means[channel]) * reciprocals[channel]
            rounded_up = -(-scaled >> drops[channel])
            low, high = 0, thresholds.shape[1]
            while low < high:
                middle = (low + high) >> 1
                if thresholds[channel, middle] < rounded_up:
                    low = middle + 1
                else:
                    high = middle
            out[pixel, channel] = low

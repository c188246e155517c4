"""What an array of codes keeps to."""

from hwsim.arithmetic._jit import StoredCodes, kernel


@kernel
def extremes(values: StoredCodes) -> tuple[int, int]:
    """The least and the greatest value of a non-empty vector."""
    least = greatest = values[0]
    for index in range(values.size):
        value = values[index]
        least = min(least, value)
        greatest = max(greatest, value)
    return least, greatest


@kernel
def common_bits(values: StoredCodes) -> int:
    """The bits that all values of a non-empty vector have set."""
    common = values[0]
    for index in range(values.size):
        common &= values[index]
    return int(common)

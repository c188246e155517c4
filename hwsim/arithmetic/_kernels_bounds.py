"""What an array of codes keeps to, found in one pass."""

from hwsim.arithmetic._jit import StoredCodes, kernel


@kernel
def extremes(values: StoredCodes) -> tuple[int, int, int]:
    """The least value, the greatest, and the bits that all of a non-empty vector have set."""
    least = greatest = common = values[0]
    for index in range(values.size):
        value = values[index]
        least = min(least, value)
        greatest = max(greatest, value)
        common &= value
    return least, greatest, common

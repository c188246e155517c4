"""Charts with a row for each layer."""

_ROW_PX, _AROUND_ROWS_PX, _LEAST_HEIGHT_PX = 20, 120, 260


def rows_height_px(rows: int) -> int:
    """The height of a chart with so many rows."""
    return max(_LEAST_HEIGHT_PX, _AROUND_ROWS_PX + _ROW_PX * rows)

"""Pictures of environments: what a renderer returned, as colours that films and reports can show."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonet.errors import CannotRender

Picture: TypeAlias = NDArray[np.uint8]

_ROUNDING = 1e-3  # a fraction may be out of range by this much


def rgb(picture: Any) -> Picture:
    """A picture `(height, width, 3)` in whole numbers from 0 to 255.

    A fourth channel, transparency, is left out. Fractions from 0 to 1 are scaled.

    Raises:
        CannotRender: `picture` has another shape, or other numbers.
    """
    try:
        pixels = np.asarray(picture)
    except ValueError:  # rows of different lengths
        pixels = np.empty(0)
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or not pixels.size:
        got = "None" if picture is None else f"{pixels.shape}"
        raise CannotRender(f"the environment's pictures must have the shape (height, width, 3), got {got}")
    pixels = pixels[:, :, :3]
    if pixels.dtype == np.uint8:
        return pixels
    rule = "the environment's pictures must have whole numbers from 0 to 255, or fractions from 0 to 1"
    if pixels.dtype.kind not in "biuf":
        raise CannotRender(f"{rule}, got {pixels.dtype}")
    most, slack = (255, 0.0) if pixels.dtype.kind in "iu" else (1, _ROUNDING)
    least, greatest = float(pixels.min()), float(pixels.max())
    if not (-slack <= least and greatest <= most + slack):  # NaN is refused too
        raise CannotRender(f"{rule}, got {pixels.dtype} from {least:g} to {greatest:g}")
    return np.rint(np.clip(pixels.astype(np.float64), 0, most) * (255 / most)).astype(np.uint8)

"""The weight lambda of the forward KL."""

import numbers
from typing import Any


def checked_lam(lam: Any) -> float:
    """`lam` as a float; ValueError unless it is a number in [0, 1]."""
    if isinstance(lam, bool) or not isinstance(lam, numbers.Real) or not 0 <= lam <= 1:
        raise ValueError(f"Argument `lam` must be a number in [0, 1]. Received: lam={lam!r}")
    return float(lam)

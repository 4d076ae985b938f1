"""Euclidean distances between the rows of two sets: estimated in float32, decided in float64, in constant memory.

One matrix product estimates the squared distances of a tile of pairs, with a bound on its rounding errors. Pairs for
which the bound leaves the question open are measured again, as a float64 sum of squared differences. So the result is
that of the differences, for ties and far from the origin too, at the speed of float32.
"""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

_NUMBERS = 2**22
"""In one block of memory."""
_OPEN = 0.02
"""Share of open questions beyond which a tile is estimated in float64."""


_STRIP = 2**18
"""Pairs of a tile that are looked at at once where they may all be open questions."""


class Pairs:
    """All pairs of a row of `first`, (n, d), and a row of `second`, (m, d)."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        self.first, self.second = first, second
        self._origin = first.mean(axis=0, dtype=np.float64)
        self._norms = [self._squared_norms(first), self._squared_norms(second)]
        largest = max(norms.max() for norms in self._norms)
        self.unit = 2.0 ** (math.frexp(largest)[1] // 2)
        """Estimates are of distances over this power of two: no float32 overflows."""

    def tiles(self, symmetric: bool = False) -> Iterator["Tile"]:
        """Tiles that cover all pairs; with `symmetric`, one of each two that mirror each other."""
        side = int(np.clip(_NUMBERS // self.first.shape[1], 64, 2000))  # a power of 2 mirrors ten times slower
        for top in range(0, len(self.first), side):
            rows = slice(top, min(top + side, len(self.first)))
            factor = self._factor(0, rows, np.float32)
            for left in range(top if symmetric else 0, len(self.second), side):
                yield self._tile(rows, slice(left, min(left + side, len(self.second))), factor)

    def in_float64(self, tile: "Tile") -> "Tile":
        """The same tile, estimated in float64; what was excluded (infinite) stays so."""
        wide = self._tile(tile.rows, tile.columns, self._factor(0, tile.rows, np.float64))
        wide.low[np.isinf(tile.low)] = np.inf
        return wide

    def squares(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(p,): squared distances of the pairs `rows[i]`, `columns[i]`."""
        squares, step = np.empty(len(rows)), max(1, _NUMBERS // 8 // self.first.shape[1])
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            gaps = self.first[rows[some]].astype(np.float64)
            gaps -= self.second[columns[some]]
            np.einsum("ij,ij->i", gaps, gaps, out=squares[some])
        return squares

    def _tile(self, rows: slice, columns: slice, factor: np.ndarray) -> "Tile":
        low = factor @ self._factor(1, columns, factor.dtype).T
        slack, lost = 2 * self._error(factor.dtype) / self.unit**2, 2 * self._underflow(factor.dtype)
        of_rows, of_columns = slack * self._norms[0][rows] + lost, slack * self._norms[1][columns] + lost
        return Tile(self, rows, columns, low, of_rows, of_columns)

    def _factor(self, side: int, some: slice, dtype: type) -> np.ndarray:
        """Rows (x, |x|^2, 1) of the first set or (-2 y, 1, |y|^2) of the second; their products are |x - y|^2."""
        values = (self.first, self.second)[side][some] - self._origin
        factor = np.ones((len(values), values.shape[1] + 2), dtype)
        np.multiply(values, (1, -2)[side] / self.unit, out=factor[:, :-2], casting="same_kind")
        norms = (1 - self._error(dtype)) * self._norms[side][some] / self.unit**2
        factor[:, side - 2] = norms - self._underflow(dtype)
        return factor

    def _error(self, dtype: type) -> float:
        """Bound of the rounding errors of an estimate, as a share of |x|^2 + |y|^2."""
        share = (self.first.shape[1] + 16) * float(np.finfo(dtype).eps) / 2
        return 2 * share / (1 - share)

    def _underflow(self, dtype: type) -> float:
        """Bound of half of what an estimate loses where factors or their products vanish beside the largest."""
        return 4 * (self.first.shape[1] + 1) * float(np.finfo(dtype).tiny)

    def _squared_norms(self, values: np.ndarray) -> np.ndarray:
        norms, step = np.empty(len(values)), max(1, _NUMBERS // values.shape[1])
        for start in range(0, len(values), step):
            centred = values[start : start + step] - self._origin
            np.einsum("ij,ij->i", centred, centred, out=norms[start : start + step])
        return norms


@dataclasses.dataclass(frozen=True)
class Tile:
    """Estimates of some pairs, over `unit`^2: at least `low`, (r, c), and at most `row_slack` + `column_slack` more."""

    pairs: Pairs
    rows: slice
    columns: slice
    low: np.ndarray
    row_slack: np.ndarray
    column_slack: np.ndarray

    def strips(self) -> Iterator["Tile"]:
        """The tile in parts of some rows each."""
        step = max(1, _STRIP // self.low.shape[1])
        for start in range(0, len(self.low), step):
            low, slack = self.low[start : start + step], self.row_slack[start : start + step]
            top = self.rows.start + start
            yield Tile(self.pairs, slice(top, top + len(low)), self.columns, low, slack, self.column_slack)

    def within(self, squares: np.ndarray, of_rows: bool, closed: bool) -> np.ndarray:
        """(r, c) booleans: which pairs are nearer than a radius, or, if `closed`, at most as far.

        Args:
            squares: squared radii, one for each row of the first set if `of_rows`, else of the second.
        """
        parts = []
        for strip in self.strips():
            parts.append(strip._within(squares, of_rows, closed))
            if parts[-1] is None:
                return self.pairs.in_float64(self).within(squares, of_rows, closed)
        return np.concatenate(parts)

    def _within(self, squares: np.ndarray, of_rows: bool, closed: bool) -> np.ndarray | None:
        """As `within`; None where float32 leaves too many questions open."""
        radii = squares[self.rows if of_rows else self.columns] / self.pairs.unit**2
        limits = _upwards(radii, self.low.dtype)
        i, j = _where(self.low <= (limits[:, None] if of_rows else limits))
        inside = self.low[i, j] + self.row_slack[i] + self.column_slack[j] < radii[i if of_rows else j]
        undecided = np.flatnonzero(~inside)
        if self.low.dtype == np.float32 and len(undecided) > _OPEN * self.low.size:
            return None
        rows, columns = self.rows.start + i[undecided], self.columns.start + j[undecided]
        exact, limit = self.pairs.squares(rows, columns), squares[rows if of_rows else columns]
        inside[undecided] = exact <= limit if closed else exact < limit
        mask = np.zeros(self.low.shape, bool)
        mask[i[inside], j[inside]] = True
        return mask

    def mirrored(self) -> "Tile":
        """The same pairs with the sets in turn; for pairs of a set with itself."""
        low = np.ascontiguousarray(self.low.T)
        return Tile(self.pairs, self.columns, self.rows, low, self.column_slack, self.row_slack)


def nearest(first: np.ndarray, second: np.ndarray | None, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of `second` for each row of `first`, nearest first, ties in the order of the rows.

    Args:
        first: (n, d).
        second: (m, d), m >= k; None for `first` itself, each row of which is then no neighbour of its own.

    Returns:
        Indices and squared distances, (n, k) each.
    """
    pairs = Pairs(first, first if second is None else second)
    found = _Found(pairs, k)
    for tile in pairs.tiles(symmetric=second is None):
        if second is None and tile.rows == tile.columns:
            np.fill_diagonal(tile.low, np.inf)
        found.look_at(tile)
        if second is None and tile.rows != tile.columns:
            found.look_at(tile.mirrored())
    return found.nearest()


class _Found:
    """Candidates for the k nearest of each row, and upper bounds of the k smallest squared distances so far.

    Where many are tied, only the first k of each row stay candidates: memory does not grow with the number of ties.
    """

    def __init__(self, pairs: Pairs, k: int) -> None:
        self.pairs, self.k = pairs, k
        self.bounds = np.full((len(pairs.first), k), np.inf)
        self.candidates: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.most = _STRIP + 8 * self.bounds.size

    def look_at(self, tile: Tile) -> None:
        high = tile.low + tile.column_slack.astype(tile.low.dtype)
        high.partition(min(self.k, high.shape[1]) - 1, axis=1)
        bounds = np.hstack([self.bounds[tile.rows], high[:, : self.k] + tile.row_slack[:, None]])
        bounds = np.partition(bounds, self.k - 1, axis=1)[:, : self.k]
        i, j = _where(tile.low <= _upwards(bounds.max(axis=1), tile.low.dtype)[:, None])
        if tile.low.dtype == np.float32 and len(i) > _OPEN * tile.low.size + self.k * len(bounds):
            for strip in self.pairs.in_float64(tile).strips():
                self.look_at(strip)
            return
        self.bounds[tile.rows] = bounds
        self.candidates.append((tile.rows.start + i, tile.columns.start + j, tile.low[i, j].astype(np.float64)))
        if sum(len(rows) for rows, _, _ in self.candidates) > self.most:
            self.candidates = [self._first()[:3]]

    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        _, columns, _, squares = self._first()
        return columns.reshape(-1, self.k), squares.reshape(-1, self.k)

    def _first(self) -> tuple[np.ndarray, ...]:
        """Rows, columns, lower bounds and squared distances of the k nearest candidates of each row, in order."""
        rows, columns, low = (np.concatenate(parts) for parts in zip(*self.candidates, strict=True))
        likely = low <= self.bounds.max(axis=1)[rows]
        rows, columns, low = rows[likely], columns[likely], low[likely]
        squares = self.pairs.squares(rows, columns)
        order = np.lexsort((columns, squares, rows))
        places = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
        chosen = order[places < self.k]
        return rows[chosen], columns[chosen], low[chosen], squares[chosen]


def _upwards(values: np.ndarray, dtype: type) -> np.ndarray:
    """`values` as `dtype`, rounded to what is certainly not below."""
    return np.nextafter(values.astype(dtype), np.array(np.inf, dtype))


def _where(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`np.nonzero`, several times faster for few."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])

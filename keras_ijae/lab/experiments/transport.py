"""The cheapest plan between two finite distributions, its potentials, and the closed form on the line."""

import numpy as np
from matplotlib.figure import Figure

from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.transport import kantorovich_rubinstein, optimal_transport, wasserstein_1d

X, A = np.array([(0.0, 0.0), (2.0, 0.0), (1.0, 2.0)]), (0.5, 0.3, 0.2)
Y, B = np.array([(0.0, 1.0), (2.0, 1.0), (3.0, 0.0), (1.0, 3.0)]), (0.25, 0.25, 0.3, 0.2)
LINE = np.array([0.0, 1.0, 3.0]), (0.2, 0.5, 0.3), np.array([-1.0, 0.5, 2.0, 4.0]), (0.25,) * 4


def run(seed: int = 0) -> Outcome:
    """Seven points of the plane, and seven of the line; nothing is random."""
    plane = optimal_transport(A, B, np.linalg.norm(X[:, None] - Y, axis=-1))
    u, v = plane.potentials
    x, a, y, b = LINE
    rows = (
        ("plane: cost of the cheapest plan", plane.value),
        ("plane: value of its potentials", float(np.dot(A, u) + np.dot(B, v))),
        ("plane: best 1-Lipschitz function", kantorovich_rubinstein(X, A, Y, B).value),
        ("line: cost of the cheapest plan", optimal_transport(a, b, np.abs(x[:, None] - y)).value),
        ("line: integral of |F - G|", wasserstein_1d(*LINE)),
    )
    return Outcome(
        "Wasserstein-1 distances, each computed in different ways",
        ("computed by", "value"),
        rows,
        "A plan is a primal solution, a 1-Lipschitz function a dual one, and their values meet. On the line "
        "no programme is needed: the distance is the area between the distribution functions.",
        lambda figure: _draw(figure, plane),
    )


def _draw(figure: Figure, plane) -> None:
    plan, line = figure.subplots(1, 2)
    for i, j in zip(*np.nonzero(plane.plan > 1e-12), strict=True):
        plan.plot(*np.stack([X[i], Y[j]], axis=1), color="0.6", lw=20 * plane.plan[i, j], zorder=1)
        plan.annotate(f"{plane.plan[i, j]:.2f}", (X[i] + Y[j]) / 2, ha="center", va="center")
    plan.scatter(*X.T, s=900 * np.array(A), color="C0", label="from: x, area = mass")
    plan.scatter(*Y.T, s=900 * np.array(B), color="C3", label="to: y")
    plan.set(title=f"Cheapest plan, cost {plane.value:.4f}", xlabel="x1", ylabel="x2", aspect="equal")
    plan.margins(0.15)
    plan.legend(loc="upper right", markerscale=0.5)
    grid = np.linspace(-1.5, 4.5, 1201)
    x, a, y, b = LINE
    first, second = ((points <= grid[:, None]) @ np.array(masses) for points, masses in ((x, a), (y, b)))
    line.fill_between(grid, first, second, color="0.85", label=f"area {wasserstein_1d(*LINE):.3f}")
    line.plot(grid, first, color="C0", label="F, of x")
    line.plot(grid, second, color="C3", label="G, of y")
    line.set(xlabel="x", ylabel="probability up to x", title="On the line: the area between F and G")
    line.legend(loc="upper left")

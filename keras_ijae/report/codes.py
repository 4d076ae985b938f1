"""How a run uses its code space: active dimensions, their correlation, and the codes in a plane."""

import numpy as np

from keras_ijae.evaluation import active_codes
from keras_ijae.figures import MaskTrace, embedded
from keras_ijae.figures.plane import plane
from keras_ijae.layers.mask import ACTIVE
from keras_ijae.metrics import nac
from keras_ijae.report.charts import GREEN, GREY, Chart, bars, by_label, chart, heat_map, lines, points
from keras_ijae.report.looking import Look
from keras_ijae.report.panels import Panel

_OF_DATA, _OF_PRIOR, _DRAWN = 750, 250, 64
_BY = {"mask": "by the mask", "posterior": "by the variance of the posteriors' means", "spread": "by their spread"}

_UNNAMED = {"showticklabels": False}


def codes(look: Look) -> Panel:
    """Which dimensions are in use, how correlated they are, and two planes."""
    found = look.codes
    active = active_codes(look.model, look.data(), found)
    colour = look.run.colour
    charts = [_spread(found, active, colour)]
    moving = np.flatnonzero(active & (np.ptp(found, axis=0) > 0))
    text = f"{active.sum()} of {len(active)} dimensions are active, {_definition(look.model)}"
    if len(moving) > 1:
        text += f"; the mean absolute correlation of pairs of them is {nac(found[:, moving]):.3f}"
        charts.append(_correlation(found, moving, colour))
    text += f". Codes of {len(found):,} held-out examples ({look.split}), one draw of each."
    return Panel(text, charts=[*charts, *_mask(look.run), *planes(look)])


def planes(look: Look) -> list[Chart]:
    """The codes as they are in two dimensions, else by PCA; and by t-SNE: of data by label, of the prior as crosses."""
    found, drawn = look.codes[:_OF_DATA], look.prior_codes[:_OF_PRIOR]
    labels = None if look.rows[1] is None else look.rows[1][:_OF_DATA]
    both = np.concatenate([found, drawn])
    if not np.ptp(found, axis=0).any() or not np.isfinite(both).all() or len(found) < 3:
        return []
    seen = plane(found)
    projections = [(seen.title, seen.of(both), seen.axes)]
    projections += [("Codes by t-SNE", embedded(both), ("", ""))] if len(both) > 30 and found.shape[1] > 1 else []
    of = "by label" if labels is not None else "of data"
    prior = "the prior, which is not fitted yet," if look.awaits_fit else "the prior"
    caption = f"{len(found)} codes {of}, {len(drawn)} of {prior} as crosses"
    return [
        chart(
            title,
            [
                points("prior", xy[len(found) :], GREEN, opacity=1, symbol="x-thin-open"),
                *by_label("data", xy[: len(found)], labels, colour=look.run.colour),
            ],
            *axes,
            caption,
            tall=True,
            **({} if axes[0] else {"xaxis": _UNNAMED, "yaxis": _UNNAMED}),
        )
        for title, xy, axes in projections
    ]


def _definition(model):
    kind = "mask" if model.active_dims is not None else "posterior" if model.posterior_family is not None else "spread"
    return _BY[kind]


def _spread(found, active, colour):
    spread, axes = found.std(axis=0, ddof=1), ("dimension", "standard deviation")
    return bars("Spread of each dimension", spread, active, *axes, colour, "Active ones in colour")


def _mask(run):
    """The trace of a mask, if the run has left one."""
    file = run.directory.mask
    trace = run.read(MaskTrace.read, file) if file.is_file() else None
    if trace is None:
        return []
    drawn = []
    for chosen, colour, what in ((trace.active, run.colour, "stay"), (~trace.active, GREY, "close")):
        alphas = trace.alphas.T[chosen]
        paths = np.stack([np.broadcast_to(trace.steps, alphas.shape), alphas], axis=2)
        drawn += [lines(f"{len(alphas)} that {what}", paths, colour, opacity=0.7)] if len(alphas) else []
    caption = f"A line for each dimension; at the end those of {ACTIVE:g} and more are active"
    return [chart("Mask over training", drawn, "step", "factor of the dimension", caption)]


def _correlation(found, moving, colour):
    """Of the dimensions with the most spread, where there are many."""
    chosen = np.sort(moving[np.argsort(-found[:, moving].std(axis=0), kind="stable")][:_DRAWN])
    matrix = np.corrcoef(found[:, chosen], rowvar=False)
    caption = "Absolute values" + (f", of the {_DRAWN} dimensions with the most spread" if len(moving) > _DRAWN else "")
    names = [str(index) for index in chosen]
    return heat_map("Correlation of active dimensions", matrix, names, "dimension", colour, caption)

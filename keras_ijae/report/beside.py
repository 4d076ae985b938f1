"""Histograms, and charts of several runs that stand beside each other: what means the same has the same axes."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_ijae.report.charts import GREY, Chart, chart, line
from keras_ijae.report.panels import Panel

_BINS, _MARGIN = 40, 0.05
"""Bins of a histogram; the share of a range that is left free at its ends."""


def histogram(title: str, sets: Mapping[str, np.ndarray], x: str, colour: str, caption: str = "") -> Chart:
    """Shares of numbers in the same bins: the first set filled with the run's colour, others as grey outlines."""
    filled = {"fill": "tozeroy", "fillcolor": f"{colour}40"}
    (first, steps), *others = _steps(sets, _edges([sets])).items()
    drawn = [line(first, *steps, colour, mode="lines", **filled)]
    drawn += [line(name, *steps, GREY, mode="lines", dash="dot") for name, steps in others]
    for trace in drawn:
        trace.line.shape = "hvh"
    return dataclasses.replace(chart(title, drawn, x, "share", caption), sets=sets)


def share_ranges(panels: Sequence[Panel]) -> None:
    """Of the panels of several runs in one section: charts of one title and axes get the same bins, and ranges."""
    charts: dict[tuple[str, str, str], list[Chart]] = {}
    for one in (one for panel in panels for one in panel.charts):
        axes = one.figure.layout.xaxis.title.text, one.figure.layout.yaxis.title.text
        charts.setdefault((one.title, *axes), []).append(one)
    for same in charts.values():
        if len(same) > 1:
            _rebin(same) if all(one.sets for one in same) else _stretch(same)


def _rebin(charts):
    edges = _edges([one.sets for one in charts])
    steps = [_steps(one.sets, edges) for one in charts]
    top = max(shares.max() for of_one in steps for _, shares in of_one.values())
    for one, of_one in zip(charts, steps, strict=True):
        for trace, (middles, shares) in zip(one.figure.data, of_one.values(), strict=True):
            trace.update(x=middles, y=shares)
        one.figure.update_xaxes(range=[edges[0], edges[-1]])
        one.figure.update_yaxes(range=[0, top * (1 + _MARGIN)])


def _stretch(charts):
    for axis in set.intersection(*(set(one.alike) for one in charts)):
        values = np.concatenate(
            [np.ravel(np.asarray(trace[axis], float)) for one in charts for trace in one.figure.data]
        )
        if np.isfinite(values).any():
            free = _MARGIN * np.ptp(values[np.isfinite(values)])
            low, high = np.nanmin(values) - free, np.nanmax(values) + free
            for one in charts:
                is_bars = all(trace.type == "bar" for trace in one.figure.data)
                one.figure.update_layout({f"{axis}axis": {"range": [0 if is_bars else low, high]}})


def _edges(all_sets):
    return np.histogram_bin_edges(
        np.concatenate([numbers for sets in all_sets for numbers in sets.values()]), bins=_BINS
    )


def _steps(sets, edges):
    """name -> the middles of the bins, and the shares in them."""
    middles = (edges[1:] + edges[:-1]) / 2
    return {name: (middles, np.histogram(numbers, edges)[0] / len(numbers)) for name, numbers in sets.items()}

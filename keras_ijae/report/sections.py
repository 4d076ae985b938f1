"""The sections of the page that look at a run's model: what each shows of images, and what of vectors."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_ijae.figures.interpolations import between_samples
from keras_ijae.report import codes, vectors
from keras_ijae.report.beside import histogram
from keras_ijae.report.looking import Look
from keras_ijae.report.panels import Panel
from keras_ijae.report.pictures import Tile, image, strip

_SAMPLES, _LABELS, _PER_CLASS, _PAIRS, _WAYS, _STEPS, _COPIES, _NEIGHBOURS = 60, 20, 10, 16, 6, 9, 8, 3


def samples(look: Look) -> Panel:
    """What the model draws; of a conditional model a row for each label."""
    text = f"Drawn with seed 0; their codes are from {_source(look)}."
    if not look.is_image:
        return Panel(text, charts=[vectors.compared("Samples and held-out data", look)])
    if look.model.classes is None:
        return Panel(text, [Tile([image(one, "sample")]) for one in look.samples[:_SAMPLES]])
    count, classes = min(look.model.classes, _LABELS), look.model.classes
    rows = [
        strip(look.samples_of(label, _PER_CLASS), f"sample of label {label}", f"label {label}")
        for label in range(count)
    ]
    of = "each label" if count == classes else f"each of the first {count} of {classes} labels"
    return Panel(f"{text} A row for {of}; what stands in a column has one code.", rows)


def _source(look):
    """What the codes of samples are from: a prior that is fitted when training is done is not before."""
    name = type(look.model.sampling_prior).__name__
    return f"{name} as it begins: it is fitted to codes when training is done, and not yet" if look.awaits_fit else name


def reconstructions(look: Look) -> Panel:
    """Held-out observations and what their codes give back, with the error."""
    remade, (x, _) = look.reconstructions, look.rows
    errors = np.sum((x - remade).reshape(len(x), -1) ** 2, axis=1)
    drawn = ", their codes drawn with seed 0," if look.model.code_noise_dim else ","
    text = (
        f"Of {len(x):,} held-out examples ({look.split}){drawn} the squared error, summed over {x[0].size} dimensions, "
        f"has a mean of {errors.mean():.4g}; half of the examples have less than {np.median(errors):.4g}."
        f"{_without_noise(look)}"
    )
    title = "Squared error of held-out reconstructions"
    chart = histogram(title, {"held-out": errors}, "squared error", look.run.colour)
    if not look.is_image:
        return Panel(text, charts=[vectors.pairs(x, remade, look.run.colour), chart])
    pairs = [
        Tile([image(one, "held-out image"), image(again, "its reconstruction")], f"{error:.3g}", "pair")
        for one, again, error in zip(x[:_PAIRS], remade, errors, strict=False)
    ]
    return Panel(f"{text} Each stands above its reconstruction and its error.", pairs, [chart])


def _without_noise(look):
    """The error that `evaluate` and validation have, where it is another."""
    if not look.model.code_noise_dim:
        return ""
    error = np.mean(look.model.reconstruction_error(look.data()))
    return f" Without noise, as `squared_error_sum` of validation and of `evaluate` has it, the mean is {error:.4g}."


def interpolations(look: Look) -> Panel:
    """Lines between the codes of two observations, decoded; between codes of samples where there is no encoder."""
    count = min(_WAYS, len(look.rows[0]) // 2) if look.model.has_encoder else _WAYS
    rows = _between_data(look, count) if look.model.has_encoder else between_samples(look.model, count, _STEPS)
    of = "held-out examples" if look.model.has_encoder else "samples"
    text = f"Each row goes along the line between the codes of two {of}, in {_STEPS} even steps."
    if not look.is_image:
        return Panel(text, charts=[vectors.ways(rows, look.run.colour)])
    return Panel(text, [strip(row, "step") for row in rows])


def _between_data(look, count):
    first, second = look.data(count), look.data(2 * count)
    second = tuple(part[count:] for part in second) if isinstance(second, tuple) else second[count:]
    return look.model.interpolate(first, second, steps=_STEPS)


def nearest(look: Look) -> Panel:
    """The training observations nearest to samples: whether these are copies."""
    x, _ = look.rows
    queries = np.concatenate([look.samples[: len(x)], x])
    near, distances, among = look.neighbours(queries, _NEIGHBOURS, _COPIES)
    count = len(queries) - len(x)
    mine, theirs = distances[:count, 0], distances[count:, 0]
    text = (
        f"By Euclidean distance, among {among:,} training examples. The median distance to the nearest is "
        f"{np.median(mine):.3g} for samples and {np.median(theirs):.3g} for held-out data: copies would be far nearer."
    )
    sets = {"samples": mine, "held-out": theirs}
    chart = histogram("Distance to the nearest training example", sets, "distance", look.run.colour)
    if not look.is_image:
        return Panel(text, charts=[chart])
    tiles = [_with_neighbours(*found) for found in zip(queries, near, distances, strict=False)]
    return Panel(f"{text} Each sample stands before its {near.shape[1]} nearest.", tiles, [chart])


def _with_neighbours(sample, near, distances):
    images = [image(sample, "sample"), *(image(one, f"neighbour {index}") for index, one in enumerate(near, 1))]
    return Tile(images, " · ".join(f"{distance:.3g}" for distance in distances), "near")


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page: its anchor, its title, and what shows a run in it."""

    anchor: str
    title: str
    show: Callable[[Look], Panel]


SECTIONS = (
    Section("samples", "Samples", samples),
    Section("reconstructions", "Reconstructions", reconstructions),
    Section("interpolations", "Interpolations", interpolations),
    Section("nearest", "Nearest training examples", nearest),
    Section("codes", "Codes", codes.codes),
)

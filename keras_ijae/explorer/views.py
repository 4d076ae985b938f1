"""What the panels show, as arrays: each view is a function of a space and of what was chosen in the page."""

import dataclasses
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np

from keras_ijae.explorer.space import Space
from keras_ijae.figures import between
from keras_ijae.training import grid

MOST, STEPS = 60, 9
"""Images of a panel, and steps of a way."""
SELECTION = "the selection"


@dataclasses.dataclass(frozen=True)
class View:
    """Images of a panel.

    Attributes:
        text: what they are; alone where there are none.
        images: (n, height, width, channels), in [0, 1].
        codes: of them, (n, d).
        captions: below them, or none at all.
        keys: of those that are points, or none at all.
    """

    text: str
    images: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros([0, 1, 1, 1]))
    codes: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros([0, 1]))
    captions: Sequence[str] = ()
    keys: Sequence[str] = ()


def here(space: Space, code: Sequence[float], label: int) -> View:
    """One code, decoded."""
    codes = np.asarray(code, np.float64)[None]
    named = f"Decoded as label {label}." if space.model.classes is not None and label >= 0 else "Decoded."
    return View(named, space.decode(codes, label), codes)


def selected(space: Space, keys: Sequence[str], label: int | None) -> View:
    """The mean of points, decoded, before their images: those of data first."""
    if not keys:
        return View("Draw a lasso or a box around points: here are their images then, and what their mean decodes to.")
    shown = sorted(keys, key=lambda key: not key.startswith("data"))[: MOST - 1]
    points, codes = space.points(shown, label), _codes(space, keys)
    mean = codes.mean(axis=0, keepdims=True)
    common = Counter(map(space.label, keys)).most_common(1)[0][0] if label is None else label
    of = f" as label {common}" if space.model.classes is not None and common >= 0 else ""
    text = f"The mean of {len(keys)} codes, decoded{of}, before the images of {len(shown)} of these."
    images = np.concatenate([space.decode(mean, common), points.images])
    return View(text, images, np.concatenate([mean, points.codes]), ["mean", *[""] * len(shown)], [None, *shown])


def way(space: Space, picked: Sequence[str], kind: str, label: int | None) -> View:
    """From the point that was picked before the last, to the last: both, and between them their codes' way, decoded."""
    if len(picked) < 2:
        return View("Pick two points, by a click on each, here or in the plane: the way between them is shown.")
    ends = space.points(picked[-2:], label)
    try:
        (codes,) = between(ends.codes[:1], ends.codes[1:], STEPS, kind)
    except ValueError as error:
        return View(str(error))
    made = space.decode(codes, int(ends.labels[0]) if label is None else label)
    images = np.concatenate([ends.images[:1], made, ends.images[1:]])
    shares = [f"{share:.0%}" for share in np.linspace(0, 1, STEPS)]
    text = f"From {ends.names[0]} to {ends.names[1]}, which stand at the ends; decoded on the way."
    return View(text, images, np.concatenate([ends.codes[:1], codes, ends.codes[1:]]), ["from", *shares, "to"])


def arithmetic(
    space: Space, code: Sequence[float], label: int, added: str | None, removed: str | None, keys: Sequence[str]
) -> View:
    """The code, decoded as it gains one attribute and loses another."""
    if added is None and removed is None:
        return View("Choose an attribute to add, or one to remove, or both.")
    if SELECTION in (added, removed) and not keys:
        return View(f"Draw a lasso or a box around points first: {SELECTION} is an attribute then.")
    direction = np.zeros(space.codes.shape[1])
    for name, sign in ((added, 1), (removed, -1)):
        if name is not None:
            direction = direction + sign * _direction(space, name, keys)
    factors = np.linspace(0, 2, STEPS)
    codes = np.asarray(code, np.float64) + np.outer(factors, direction)
    terms = [f"+ {added}" if added else "", f"− {removed}" if removed else ""]
    named, of_all = {added, removed} - {None}, "samples" if space.x is None else "data"
    what = ["an attribute is the mean code with it minus that without it"] if named - {SELECTION} else []
    what += [f"{SELECTION} is its mean code minus that of all {of_all}"] if SELECTION in named else []
    text = f"The code above, z + t ({' '.join(filter(None, terms))}), where {', and '.join(what)}."
    return View(text, space.decode(codes, label), codes, [f"t = {t:g}" for t in factors])


def samples(space: Space, seed: int, label: int | None) -> View:
    """The first samples of a seed."""
    keys = space.keys(seed)[:MOST]
    points = space.points(keys, label)
    of = "" if label is None else f", all with label {label}"
    text = f"The first {len(keys)} samples of seed {seed}{of}; the first {space.samples} are points of the plane."
    return View(text, points.images, points.codes, keys=keys)


def png(view: View) -> bytes:
    """Its images as one picture: a way in one row."""
    import tensorflow as tf

    columns = len(view.images) if len(view.images) <= STEPS + 2 else None
    return tf.io.encode_png(grid(view.images, columns)).numpy()


def npz(view: View) -> bytes:
    """Its arrays: images and codes, float32."""
    written = io.BytesIO()
    np.savez(written, images=view.images.astype("float32"), codes=view.codes.astype("float32"))
    return written.getvalue()


def _codes(space: Space, keys: Sequence[str]) -> np.ndarray:
    return np.stack([space.code(key) for key in keys])


def _direction(space: Space, name: str, keys: Sequence[str]) -> np.ndarray:
    """Of an attribute; that of the selection is from the mean of all data, or of all samples where there is none."""
    if name != SELECTION:
        return space.directions[name]
    return _codes(space, keys).mean(axis=0) - space.codes.mean(axis=0)

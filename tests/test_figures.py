"""Figures: what they compute, against values worked out otherwise, and what stands on their axes."""

import io
import itertools

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf
import threadpoolctl
from tiny import affine

import keras_ijae as ki
from keras_ijae.figures.style import new_figure

RNG = np.random.default_rng(0)
ENCODER, DECODER = RNG.normal(size=(2, 6)), RNG.normal(size=(3, 2))
X = RNG.normal(size=(40, 2)).astype("float32")
LABELS = np.arange(40) % 3


@pytest.fixture(scope="module")
def plane():
    """A VAE of vectors (2,) with codes (3,) whose networks are linear."""
    return ki.models.VAE(
        encoder=affine(ENCODER, np.zeros(6), (2,)),
        decoder=affine(DECODER, np.zeros(2), (3,)),
        likelihood="gaussian",
        data_shape=(2,),
        latent_dim=3,
    )


@pytest.fixture(scope="module")
def images():
    """A VAE of images with codes (2,), and images."""
    model = ki.create("vae", data_shape=(4, 4, 1), latent_dim=2, networks="mlp", width=4)
    return model, RNG.random((12, 4, 4, 1)).astype("float32")


def pixels_of(axis):
    """The images on an axis, in the order in which they were drawn."""
    return [image.get_array() for image in axis.images]


def texts(labels):
    return [label.get_text() for label in labels]


# Computing -----------------------------------------------------------------------------------------------------------


def test_a_direction_is_the_mean_code_with_an_attribute_minus_that_without():
    codes, labels = RNG.normal(size=(9, 2)), np.array([0, 0, 5, 5, 5, 2, 2, 2, -1])
    found = ki.figures.class_directions(codes, labels)
    assert [*found] == ["0", "2", "5"]
    np.testing.assert_allclose(found["2"], codes[5:8].sum(0) / 3 - codes[:5].sum(0) / 5, rtol=1e-12)
    several = {"smiling": labels == 5, "kind": labels}
    named = ki.figures.class_directions(codes, several)
    assert [*named] == ["smiling", "kind 0", "kind 2", "kind 5"]
    np.testing.assert_allclose(named["smiling"], codes[2:5].mean(0) - codes[[0, 1, 5, 6, 7, 8]].mean(0), rtol=1e-12)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 1, 1], "examples without. Received: 3 with '1', and 0 without"),
        ([True, False], r"booleans \(3,\), or a dictionary .* Received: bool of shape \(2,\)"),
        ({"a": [0.5, 1, 2]}, "Received: float64 of shape .* for a"),
        ({"a": [False] * 3, "b": [True] * 3}, "Received: 0 with 'a', and 3 without; 3 with 'b', and 0 without"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        ki.figures.class_directions(np.eye(3), labels)


def test_the_kl_of_a_dimension_is_that_of_its_densities():
    means, stddevs = np.array([[0.5, -2.0], [1.5, 0.0]]), np.array([[0.3, 1.0], [0.8, 2.0]])
    z = np.linspace(-25, 25, 100_001)

    def kl(mean, stddev):
        log_q = -(((z - mean) / stddev) ** 2) / 2 - np.log(stddev)
        return np.trapezoid(np.exp(log_q) * (log_q + z**2 / 2), z) / np.sqrt(2 * np.pi)

    expected = [(kl(*first) + kl(*second)) / 2 for first, second in zip(*np.stack([means, stddevs], 2), strict=True)]
    np.testing.assert_allclose(ki.figures.gaussian_kl(means, stddevs), expected, rtol=1e-8)
    with pytest.raises(ValueError, match="`stddevs` must be above 0"):
        ki.figures.gaussian_kl(means, -stddevs)


def test_the_kl_of_dimensions_of_a_diagonal_posterior_adds_up_to_the_models(plane):
    total = plane.posterior_family.kl(plane.parameters(X)).numpy().mean()
    np.testing.assert_allclose(ki.figures.kl_of_dimensions(plane, X).sum(), total, rtol=1e-5)
    with pytest.raises(ValueError, match="Gaussian posterior .* Received: none that is explicit"):
        ki.figures.kl_of_dimensions(ki.create("ae", (4,), 2, width=4), np.zeros((3, 4), "float32"))


def test_a_way_on_the_sphere_has_equal_angles_and_keeps_the_length():
    start, end = RNG.normal(size=(2, 5, 4))
    start, end = (3 * part / np.linalg.norm(part, axis=1, keepdims=True) for part in (start, end))
    way = ki.figures.between(start, end, 7, "sphere")
    np.testing.assert_allclose(np.linalg.norm(way, axis=2), 3)
    angles = np.arccos((way[:, :-1] * way[:, 1:]).sum(axis=2) / 9)
    np.testing.assert_allclose(angles, np.broadcast_to(angles[:, :1], angles.shape), rtol=1e-6)
    np.testing.assert_allclose(way[:, [0, -1]], np.stack([start, end], 1), atol=1e-12)
    np.testing.assert_allclose(angles.sum(axis=1), np.arccos((start * end).sum(1) / 9))


def test_lengths_change_linearly_on_the_sphere_and_codes_in_one_direction_have_a_line():
    way = ki.figures.between([[1.0, 0.0]], [[0.0, 3.0]], 3, "sphere")
    np.testing.assert_allclose(way[0, 1], [2**0.5, 2**0.5])
    parallel = ki.figures.between([[1.0, 2.0]], [[2.0, 4.0]], 3, "sphere")
    np.testing.assert_allclose(parallel, ki.figures.between([[1.0, 2.0]], [[2.0, 4.0]], 3), rtol=1e-9)
    for end in ([[-1.0, -2.0]], [[0.0, 0.0]]):
        with pytest.raises(ValueError, match='must not be (opposite|zero) on way="sphere"'):
            ki.figures.between([[1.0, 2.0]], end, 3, "sphere")
    with pytest.raises(ValueError, match="one of 'linear', 'sphere'"):
        ki.figures.between([[1.0]], [[2.0]], 3, "straight")


@pytest.mark.slow
def test_t_sne_keeps_clusters_apart_and_is_the_same_for_the_same_seed():
    points = np.concatenate([RNG.normal(size=(15, 5)), 50 + RNG.normal(size=(15, 5))])
    with threadpoolctl.threadpool_limits(1):
        found = ki.figures.embedded(points, seed=1)
        np.testing.assert_array_equal(found, ki.figures.embedded(points, seed=1))
    near = ki.metrics.nearest_neighbours(found, found, 5).indices
    assert ((near < 15) == (np.arange(30) < 15)[:, None]).all()


def test_an_attribute_that_no_example_has_is_left_out_with_a_warning():
    codes, has = RNG.normal(size=(3, 2)), [True, False, False]
    with pytest.warns(UserWarning, match="none, have no direction and are left out: 0 with 'Bald', and 3 without"):
        found = ki.figures.class_directions(codes, {"Bald": [False] * 3, "Young": has})
    assert [*found] == ["Young"] and ki.figures.class_directions(codes, {}) == {}
    np.testing.assert_allclose(found["Young"], codes[0] - codes[1:].mean(axis=0))


# Of models -----------------------------------------------------------------------------------------------------------


def test_an_attribute_traversal_decodes_a_code_plus_multiples_of_a_direction(plane):
    drawn = ki.figures.attribute_traversals(plane, X, LABELS, index=2, steps=5, reach=2.0)
    codes = X @ ENCODER[:, :3]
    for row, label in enumerate(range(3)):
        direction = codes[LABELS == label].mean(0) - codes[LABELS != label].mean(0)
        expected = [(codes[2] + t * direction) @ DECODER for t in (-2, -1, 0, 1, 2)]
        np.testing.assert_allclose(drawn.observations[row], expected, atol=1e-4)
    assert drawn.names == ["0", "1", "2"] and drawn.columns == ["−2", "−1", "0", "+1", "+2"]
    few = ki.figures.attribute_traversals(plane, X, LABELS, attributes=1)
    lengths = {name: np.linalg.norm(d) for name, d in ki.figures.class_directions(codes, LABELS).items()}
    assert few.names == [max(lengths, key=lengths.get)]


def test_a_latent_traversal_changes_one_dimension_the_largest_kl_first(plane):
    drawn = ki.figures.latent_traversals(plane, X, index=1, steps=3, reach=2.0, dimensions=2)
    kl, codes = ki.figures.kl_of_dimensions(plane, X), plane.encode(X, seed=0)
    order = np.argsort(-kl)[:2]
    assert drawn.names == [f"$z_{{{dimension}}}$  {kl[dimension]:.2f} nats" for dimension in order]
    for row, dimension in enumerate(order):
        way = np.stack([codes[1]] * 3)
        way[:, dimension] = codes[:, dimension].mean() + np.array([-2, 0, 2]) * codes[:, dimension].std()
        np.testing.assert_allclose(drawn.observations[row], way @ DECODER, atol=1e-4)


def test_without_a_gaussian_posterior_the_deviations_of_the_codes_stand_beside():
    model = ki.create("ae", (2,), 2, width=4)
    drawn, deviations = ki.figures.latent_traversals(model, X), model.encode(X).std(axis=0)
    assert drawn.names[0].endswith(f"s.d. {deviations.max():.2g}") and "deviation" in drawn.title


def test_sticks_that_are_moved_are_decoded_as_weights_that_add_up_to_1(monkeypatch):
    model, given = ki.create("stick_vae", (2,), 4, width=4), []
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda codes, labels=None: given.append(codes) or decode(codes, labels=labels))
    ki.figures.latent_traversals(model, X, reach=30.0, steps=3)
    ki.figures.attribute_traversals(model, X, LABELS, reach=30.0)
    ki.figures.sample_interpolations(model, way="sphere")
    moved = model.encode(X, seed=0).astype(np.float64)
    way = np.stack([moved[0]] * 3)
    way[:, 1] = moved[:, 1].mean() + np.array([-30, 0, 30]) * moved[:, 1].std()
    expected = np.maximum(way, 0) / np.maximum(way, 0).sum(axis=1, keepdims=True)
    assert way.min() < 0 and any(np.allclose(expected, part, atol=1e-6) for part in given[0].reshape(-1, 3, 4))
    for codes in given:
        np.testing.assert_allclose(codes.sum(axis=1), 1, rtol=1e-6)
        assert codes.min() > 0


def test_interpolations_lead_from_a_reconstruction_to_another_between_the_data(plane):
    drawn = ki.figures.interpolations(plane, X[:3], X[3:6], steps=5)
    np.testing.assert_array_equal(drawn.observations[:, [0, -1]], np.stack([X[:3], X[3:6]], 1))
    np.testing.assert_allclose(drawn.observations[:, 1:-1], plane.interpolate(X[:3], X[3:6], steps=5), atol=1e-5)
    assert drawn.aside == (0, 6) and drawn.columns[1:-1] == ["0", "0.25", "0.5", "0.75", "1"]


def test_sample_interpolations_begin_and_end_with_samples(plane):
    drawn = ki.figures.sample_interpolations(plane, count=3, steps=4, way="sphere", seed=5)
    ends = np.concatenate([drawn.observations[:, 0], drawn.observations[:, -1]])
    np.testing.assert_allclose(ends, plane.sample(6, seed=5), atol=1e-5)


def test_conditional_models_keep_a_rows_label():
    model = ki.create("vae", (4, 4, 1), 2, networks="mlp", width=4, classes=3)
    x, labels = RNG.random((6, 4, 4, 1)).astype("float32"), np.arange(6) % 3
    drawn = ki.figures.interpolations(model, (x[:3], labels[:3]), (x[3:], labels[3:]), steps=2)
    np.testing.assert_allclose(drawn.observations[:, 1], model.reconstruct(x[:3], labels=labels[:3]), atol=1e-5)
    way = ki.figures.latent_traversals(model, (x, labels), index=4, steps=3, dimensions=1).observations[0]
    codes = model.encode(x, seed=0, labels=labels)
    largest = np.argmax(ki.figures.kl_of_dimensions(model, (x, labels)))
    changed = codes[4:5].copy()
    changed[0, largest] = codes[:, largest].mean()
    np.testing.assert_allclose(way[1:2], model.decode(changed, labels=[labels[4]]), atol=1e-5)


def test_the_mask_scales_the_covariance_of_the_codes():
    model = ki.create("mask_aae", (2,), 3, width=4, mask=1.0)
    before, after = ki.figures.code_covariances(model, X)
    alpha = model.mask.alpha().numpy()
    np.testing.assert_allclose(after.matrix, before.matrix * np.outer(alpha, alpha), rtol=1e-3, atol=1e-7)
    assert after.title == f"After the mask, {(alpha >= 0.1).sum()} of 3 active"


def test_codes_of_two_dimensions_are_shown_as_they_are(images):
    model, x = images
    drawn = ki.figures.codes_and_prior(model, x, seed=3)
    np.testing.assert_array_equal(drawn.sets["codes of data"], model.encode(x, seed=3))
    np.testing.assert_array_equal(drawn.sets["codes of samples"], model.endpoints.codes_of_samples(12, 3).numpy())
    assert drawn.axes == ("$z_0$", "$z_1$")


def test_directions_are_drawn_in_deviations_of_the_codes():
    codes = RNG.normal(size=(40, 4)) * [1, 2, 3, 4]
    drawn, found = ki.figures.attribute_directions(codes, LABELS), ki.figures.class_directions(codes, LABELS)
    np.testing.assert_allclose(drawn.matrix[1], found["1"] / codes.std(axis=0))
    assert drawn.names == ["0", "1", "2"]


# Samples -------------------------------------------------------------------------------------------------------------


class Brightness(ki.metrics.features.Extractor):
    """The mean of an image."""

    def __init__(self):
        super().__init__("brightness", "0", 1)

    def call(self, images):
        return tf.reduce_mean(images, [1, 2]), None


def test_neighbours_are_the_nearest_in_pixels_or_in_features(images):
    _, x = images
    query = np.clip(x[3:4] + 0.01, 0, 1)
    (row,) = ki.figures.neighbours(query, x, k=2).observations
    np.testing.assert_array_equal(row[:2], [query[0], x[3]])
    other = ki.figures.neighbours(query, x, k=2, features=Brightness())
    gaps = np.abs(x.mean(axis=(1, 2, 3)) - query.mean())
    np.testing.assert_array_equal(other.observations[0, 1:], x[np.argsort(gaps)[:2]])
    assert other.notes[0][1] == f"{np.sort(gaps)[0]:.2f}" and "features of brightness" in other.title


def test_precision_and_recall_are_drawn_of_the_batches_of_a_data_set_too():
    x = np.random.default_rng(0).random((40, 4, 4, 1), dtype="float32")
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    batches = tf.data.Dataset.from_tensor_slices(x).batch(20)
    drawn, expected = (ki.figures.precision_recall(real, {"a": real}, network) for real in (batches, x))
    np.testing.assert_array_equal(drawn.curves["a"].precision, expected.curves["a"].precision)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 4, 1), r"images of shape \(4, 4, 1\). Received: 'narrow', which takes \(8, 8, 1\)"),
        ((2,), "'data' for vectors"),
    ],
)
def test_features_of_other_observations_are_refused_by_the_argument(shape, message):
    x, narrow = np.zeros((9, *shape), "float32"), Brightness()
    narrow.name, narrow.size, narrow.channels = "narrow", (8, 8), 1
    for draw in (ki.figures.neighbours, lambda x, _, features: ki.figures.precision_recall(x, {"a": x}, features)):
        with pytest.raises(ValueError, match=f"`features` must (take|be) {message}"):
            draw(x, x, features=narrow)


@pytest.mark.slow
def test_precision_and_recall_are_those_of_the_metric(images):
    x = np.repeat(images[1], 4, axis=0)
    with threadpoolctl.threadpool_limits(1):
        drawn = ki.figures.precision_recall(x, {"same": x, "white": np.ones_like(x)})
    assert min(drawn.curves["same"].f_beta) > 0.99 and max(drawn.curves["white"].f_beta) < 0.2


def score(value, weights="a"):
    return {"value": value, "weights": weights}


def test_distances_of_runs_are_gathered_by_side():
    name = "frechet_distance[net]"
    runs = [
        (2, {f"gen/{name}": score(3.0), f"rec/{name}": score(1.0), "nac": score(0.0)}),
        (8, {f"gen/{name}": score(2)}),
    ]
    (drawn,) = ki.figures.distances_over_dimension(runs)
    assert drawn.series == {"samples": [(2, 3.0), (8, 2.0)], "reconstructions": [(2, 1.0)]}
    assert drawn.unit == "Frechet distance, features of net"
    with pytest.raises(ValueError, match="in the same features"):
        ki.figures.distances_over_dimension([*runs, (4, {f"gen/{name}": score(3.0, "b")})])
    with pytest.raises(ValueError, match="must have Frechet distances. Received: one with .*nac"):
        ki.figures.distances_over_dimension([(2, {"nac": score(0.1), "of/frechet_distance": score(1.0)})])
    with pytest.raises(ValueError, match="at least one run"):
        ki.figures.distances_over_dimension([])


def test_distances_are_drawn_in_each_kind_of_features_that_all_runs_have():
    first, second = ({"gen/frechet_distance[net]": score(value), "rec/fid": score(9.0, "b")} for value in (3.0, 2.0))
    of_net, fid = ki.figures.distances_over_dimension([(2, first), (8, {**second, "gen/kid": score(0.1)})])
    assert of_net.series == {"samples": [(2, 3.0), (8, 2.0)]} and of_net.unit == "Frechet distance, features of net"
    assert fid.series == {"reconstructions": [(2, 9.0), (8, 9.0)]} and fid.unit == "FID"
    more, less = {"gen/frechet_distance[other]": score(1.0), **first}, {"gen/frechet_distance[net]": score(2.0)}
    (common,) = ki.figures.distances_over_dimension([(2, more), (8, less)])
    assert (common.series, common.unit) == (of_net.series, of_net.unit)


def test_samples_outside_the_frame_of_the_data_are_counted():
    x = np.array([[0.0, 0.0], [4.0, 2.0]])
    drawn = ki.figures.samples_on_data([[4.9, 2.4], [5.1, 0.0], [0.0, -9.0]], x)
    assert drawn.title == "Samples, 2 of 3 outside"
    np.testing.assert_allclose(drawn.frame, [[-1, -0.5], [5, 2.5]])


# Drawing -------------------------------------------------------------------------------------------------------------


def test_images_stand_in_their_rows_with_names_columns_and_notes():
    x = RNG.random((2, 3, 4, 4, 3))
    rows = ki.figures.Rows(x, ["a", "b"], ["1", "2", "3"], "title", "unit", notes=[["n"] * 3] * 2)
    axis = rows.draw()
    np.testing.assert_allclose(np.stack(pixels_of(axis)).reshape(x.shape), x, rtol=1e-6)
    assert texts(axis.get_yticklabels()) == ["a", "b"] and texts(axis.get_xticklabels()) == ["1", "2", "3"]
    assert len(axis.texts) == 6 and (axis.get_xlabel(), axis.get_title()) == ("unit", "title")
    with pytest.raises(ValueError, match="must name 2 rows and 3 columns. Received: 1 and 3"):
        ki.figures.Rows(x, ["a"], ["1", "2", "3"])


def test_vectors_of_the_plane_are_ways_and_others_are_refused():
    ways = RNG.normal(size=(2, 4, 2))
    axis = ki.figures.Rows(ways, ["a", "b"], list("wxyz"), context=X, aside=(0,)).draw()
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), ways[0, 1:])
    assert texts(axis.get_legend().texts) == ["data", "a", "b"]
    with pytest.raises(ValueError, match=r"images .* and vectors of 2 numbers can be drawn. Received: .* \(5,\)"):
        ki.figures.Rows(RNG.normal(size=(2, 4, 5)), ["a", "b"], list("wxyz"))
    with pytest.raises(ValueError, match="vectors of 2 numbers"):
        ki.figures.latent_traversals(ki.create("ae", (5,), 2, width=4), np.zeros((3, 5), "float32"))


def boxes_of(axis):
    """What stands on an axis and around it, and what each covers in inches, once its figure is laid out."""
    axis.figure.draw_without_rendering()
    parts = {"plane": axis, "title": axis.title, "legend": axis.get_legend(), "across": axis.xaxis.label}
    to_inches = axis.figure.dpi_scale_trans.inverted()
    return {name: part.get_window_extent().transformed(to_inches) for name, part in parts.items() if part is not None}


@pytest.mark.parametrize("draw", [ki.figures.latent_traversals, ki.figures.attribute_traversals])
def test_ways_of_the_plane_have_room_beside_their_legend_and_below_their_title(plane, draw):
    arguments = (X, LABELS) if draw is ki.figures.attribute_traversals else (X,)
    axis = draw(plane, *arguments).draw()
    boxes = boxes_of(axis)
    assert min(boxes["plane"].width, boxes["plane"].height) > 2
    names = list(boxes)
    assert not [(a, b) for a in names for b in names if a < b and boxes[a].overlaps(boxes[b])]
    width, height = axis.figure.get_size_inches()
    assert all(0 <= box.x0 and box.x1 <= width and 0 <= box.y0 and box.y1 <= height for box in boxes.values())


@pytest.mark.parametrize("rows", [12, 40, 150])
def test_names_of_many_rows_of_a_heat_map_do_not_meet(rows):
    names = [f"{index} Wearing_Lipstick" for index in range(rows)]
    axis = ki.figures.HeatMap(RNG.normal(size=(rows, 64)), "Heat", names=names).draw()
    axis.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axis.get_yticklabels()]
    assert len(boxes) == min(rows, 75) and not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    assert axis.figure.get_size_inches().max() < 15


@pytest.mark.parametrize(("shape", "ratio"), [((2, 128), 1 / 4), ((300, 2), 4), ((4, 4), 1), ((8, 16), 1 / 2)])
def test_images_of_extreme_shape_are_drawn_four_times_as_long_as_wide(shape, ratio):
    axis = ki.figures.Rows(RNG.random((2, 9, *shape, 1)), ["a", "b"], [*"123456789"]).draw()
    assert axis.get_aspect() == ratio and axis.figure.get_size_inches().max() < 25


DRAWINGS = {
    "scatter": ki.figures.Scatter({"prior": X[:, ::-1], "data": X}, "Codes", ("a", "b"), LABELS),
    "embedded": ki.figures.Scatter({"prior": X[:, ::-1], "data": X}, "Codes"),
    "heat": ki.figures.HeatMap(RNG.normal(size=(3, 5)), "Heat", "unit", "across", "along", ["a", "b", "c"], 1.0),
    "mask": ki.figures.MaskTrace(np.array([0, 10, 20]), np.array([[0.5, 0.5], [0.5, 0.2], [0.9, 0.0]])),
    "prd": ki.figures.PrecisionRecall({"m": ki.metrics.prd_of_histograms([0.5, 0.5, 0], [0.5, 0, 0.5])}),
    "sizes": ki.figures.OverDimension({"samples": [(4, 1.0), (2, 3.0), (2, 5.0)]}, "Distances"),
    "ways": ki.figures.Rows(RNG.normal(size=(2, 4, 2)), ["", ""], [""] * 4, "Ways"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_goes_onto_a_given_axis_and_shows_itself_in_a_notebook(name):
    axis = new_figure(4, 3).subplots()
    assert DRAWINGS[name].draw(axis) is axis and axis.get_title() == DRAWINGS[name].title
    png = DRAWINGS[name]._repr_png_()
    assert matplotlib.image.imread(io.BytesIO(png)).std() > 0.01


def test_what_is_drawn_is_what_was_computed():
    heat, mask, prd, sizes = (DRAWINGS[name].draw() for name in ("heat", "mask", "prd", "sizes"))
    np.testing.assert_array_equal(heat.images[0].get_array(), DRAWINGS["heat"].matrix)
    assert heat.images[0].get_clim() == (-1, 1) and heat.figure.axes[1].get_ylabel() == "unit"
    assert texts(mask.get_legend().texts) == ["1 of 2 stay", "1 of 2 close", "active from 0.1 on"]
    np.testing.assert_array_equal(mask.lines[0].get_xydata(), [[0, 0.5], [10, 0.5], [20, 0.9]])
    np.testing.assert_array_equal(prd.lines[0].get_xdata(), DRAWINGS["prd"].curves["m"].recall)
    np.testing.assert_array_equal(sizes.lines[1].get_xydata(), [[2, 4], [4, 1]])


def legends(axis):
    return [child for child in axis.get_children() if isinstance(child, matplotlib.legend.Legend)]


def test_each_class_has_its_colour_in_the_legend_and_nothing_covers_the_points():
    labels = np.where(np.arange(len(X)) == 0, -1, LABELS)
    axis = ki.figures.Scatter({"prior": X[:, ::-1], "data": X}, "Codes", ("a", "b"), labels).draw()
    behind, classes = legends(axis)
    assert (texts(behind.texts), texts(classes.texts)) == (["prior"], ["0", "1", "2", "unknown"])
    assert classes.get_title().get_text() == "data, by class" and not axis.texts
    colours = [tuple(handle.get_facecolor()[0]) for handle in classes.legend_handles]
    assert len(set(colours)) == 4 and colours[0] == matplotlib.colors.to_rgba(ki.figures.PALETTE[0])
    axis.figure.draw_without_rendering()
    boxes = [legend.get_window_extent() for legend in (behind, classes)]
    assert boxes[0].y0 >= boxes[1].y1 and boxes[1].y0 > -5 and axis.xaxis.label.get_window_extent().y0 >= boxes[0].y1


def test_classes_that_share_a_colour_are_named_where_they_are():
    many = np.arange(24) % 12
    axis = ki.figures.Scatter({"data": RNG.normal(size=(24, 2))}, "Codes", None, many).draw()
    assert texts(axis.texts) == [str(label) for label in range(12)]
    assert [texts(legend.texts) for legend in legends(axis)] == [["data, classes by name"]]


def test_a_title_stands_apart_from_the_label_of_the_drawing_above():
    rows = ki.figures.Rows(RNG.random((3, 4, 8, 8, 1)), ["a", "b", "c"], [*"1234"], "Title", "share of the way")
    figure = ki.figures.together(rows, rows, columns=1)
    figure.draw_without_rendering()
    above, below = figure.axes
    gap = above.xaxis.label.get_window_extent().y0 - below.title.get_window_extent().y1
    assert gap / figure.dpi > 0.15


def test_several_drawings_stand_together_and_are_saved_whole(tmp_path):
    figure = ki.figures.together(*[DRAWINGS[name] for name in ("heat", "mask", "prd")], columns=2)
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["Heat", "Mask", "Precision and recall"]
    DRAWINGS["heat"].save(tmp_path / "heat.pdf")
    assert (tmp_path / "heat.pdf").read_bytes()[:4] == b"%PDF"
    with pytest.raises(ValueError, match="Format 'docx' is not supported"):
        ki.figures.save_figure(figure, tmp_path / "f.docx")
    assert [path.name for path in tmp_path.iterdir()] == ["heat.pdf"]


def test_the_style_ends_with_the_drawing():
    before = dict(matplotlib.rcParams)
    DRAWINGS["prd"].draw()
    assert dict(matplotlib.rcParams) == before


def test_the_colours_differ_for_the_colour_blind():
    """Machado et al. 2009, full deuteranomaly and protanomaly; distances in CIELAB, of which about 2 are seen."""
    blindness = {
        "none": np.eye(3),
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }
    srgb = np.array([matplotlib.colors.to_rgb(colour) for colour in ki.figures.PALETTE])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    for name, matrix in blindness.items():
        lab = cielab(np.clip(linear @ np.transpose(matrix), 0, 1))
        gaps = np.linalg.norm(lab[:, None] - lab, axis=2)[np.triu_indices(len(lab), 1)]
        assert gaps.min() > 8, name
    assert len(ki.figures.PALETTE) == 10


def cielab(linear):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def test_points_of_unknown_class_are_drawn_too():
    drawn = ki.figures.Scatter({"prior": X[:, ::-1], "data": X}, "Codes", ("a", "b"), np.where(LABELS > 0, LABELS, -1))
    (axis,) = drawn.draw().figure.axes
    assert sum(len(points.get_offsets()) for points in axis.collections) == 2 * len(X)


@pytest.mark.parametrize("alphas", [np.zeros((0, 2)), np.zeros((2, 0)), np.zeros(2), np.zeros((3, 2))])
def test_what_is_no_trace_of_a_mask_is_said(alphas, tmp_path):
    np.savez(tmp_path / "mask.npz", steps=np.arange(min(len(alphas), 2)), alphas=alphas)
    with pytest.raises(ValueError, match="is not the trace of a mask"):
        ki.figures.MaskTrace.read(tmp_path / "mask.npz")

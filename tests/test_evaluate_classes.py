"""`evaluate` on conditional models: labels come with the data, and samples are judged class by class."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import sqrtm

import keras_ijae as ki
from keras_ijae.evaluation import evaluate
from keras_ijae.metrics.features import KerasFeatures
from keras_ijae.training import MetricsCallback

CLASSES = 3


@pytest.fixture(scope="module")
def digits():
    """Digits below 3, (images, labels)."""
    x, y = next(ki.datasets.load("digits", "test", 297, labels=True).as_numpy_iterator())
    return x[y < CLASSES], y[y < CLASSES]


@pytest.fixture(scope="module")
def data(digits):
    return batched(digits)


def batched(pair, size=40):
    return tf.data.Dataset.from_tensor_slices(pair).batch(size)


def create(name, **arguments):
    """A small conditional model that has seen label 2 three times as often as label 0, and never label 1."""
    keras.utils.set_random_seed(0)
    model = ki.create(name, (8, 8, 1), 2, networks="mlp", width=8, classes=CLASSES, **arguments)
    for network in model.networks.values():  # labels have more effect than at first
        for weight in network.trainable_weights:
            weight.assign(3 * weight)
    model.label_counts.counts.assign([10, 0, 30])
    return model


@pytest.fixture(scope="module")
def vae():
    return create("vae")


@pytest.fixture(scope="module")
def gan():
    return create("gan", ema=None)


def extractor_of(classes, name="small"):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4, name="features")]
    return KerasFeatures(keras.Sequential([*layers, keras.layers.Dense(classes)]), "features", "logits", name=name)


@pytest.fixture(scope="module")
def extractor():
    return extractor_of(CLASSES)


def batch_seed(seed, name, index=0):
    """The seed of a batch of 256."""
    return int(ki.random.fold(seed, name, index)[0])


@pytest.mark.slow
def test_reconstructions_bounds_and_codes_are_those_for_the_labels(vae, digits):
    x, y = digits
    found = evaluate(vae, digits, ["mse", "elbo", "iw_bound", "latent_kl", "active_dimensions"], seed=3)
    remade = vae.reconstruct(x, seed=batch_seed(3, "reconstructions"), labels=y)
    assert found["rec/mean_squared_error"] == pytest.approx(np.mean((x - remade) ** 2), rel=1e-5)
    assert found["elbo_nats"] == pytest.approx(vae.elbo(x, seed=3, labels=y).mean(), rel=1e-6)
    bound = vae.importance_weighted_bound(x, seed=3, labels=y).mean()
    assert found["importance_weighted_bound_nats"] == pytest.approx(bound, rel=1e-6)
    assert found["latent_kl_nats"] == ki.evaluation.aggregate_posterior_kl(vae, (x, y), seed=3)
    others = evaluate(vae, (x, (y + 1) % CLASSES), ["mse", "elbo", "latent_kl"], seed=3)
    assert all(abs(found[name] - others[name]) > 1e-4 for name in others.scores)


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return -(-len(self.x) // 40)

    def __getitem__(self, index):
        return self.x[40 * index : 40 * (index + 1)], self.y[40 * index : 40 * (index + 1)]


@pytest.mark.slow
def test_every_form_of_labelled_data_gives_the_same_scores(vae, digits, data, extractor, tmp_path):
    (x, y), names = digits, ["fid", "mse", "elbo", "class_frechet"]
    forms = [data, digits, {"image": x, "label": y}, (x, np.eye(CLASSES)[y]), Sequence(x, y)]
    forms += [batched({"image": x, "label": y}, 7)]
    scores = [evaluate(vae, form, names, extractor).to_dict() for form in forms]
    scores += [evaluate(vae, form, names, extractor, cache=tmp_path).to_dict() for form in (forms[0], forms[2])]
    assert all(score == scores[0] for score in scores)


def test_samples_have_the_labels_that_the_model_draws(gan, digits, extractor):
    seed = batch_seed(0, "samples")
    assert set(gan.sample_labels(len(digits[0]), seed)) == {0, 2}
    fake = gan.sample(len(digits[0]), seed, labels=gan.sample_labels(len(digits[0]), seed))
    expected = ki.metrics.frechet_distance(*(extractor.features(images) for images in (digits[0], fake)))
    assert evaluate(gan, digits, ["fid"], extractor)["gen/frechet_distance"] == pytest.approx(expected, rel=1e-6)


def test_scores_of_samples_alone_need_no_labels(gan, digits, extractor):
    assert evaluate(gan, digits[0], ["fid"], extractor).to_dict() == evaluate(gan, digits, ["fid"], extractor).to_dict()


def of_classes(model, each, seed=0):
    """Labels, and samples of them, with the same number of each class."""
    labels = np.repeat(np.arange(CLASSES), each)
    assert len(labels) <= 256
    return labels, model.sample(len(labels), batch_seed(seed, "samples of classes"), labels=labels)


def frechet(first, second):
    """By SciPy's root of a matrix."""
    (m1, s1), (m2, s2) = ((rows.mean(axis=0), np.cov(rows.T)) for rows in (np.float64(first), np.float64(second)))
    return np.sum((m1 - m2) ** 2) + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)


def test_frechet_distances_are_taken_within_classes_of_as_many_samples_each(gan, digits, extractor):
    x, y = digits[0], digits[1].copy()
    y[:5] = -1  # of unknown class: in none
    found = evaluate(gan, (x, y), "class_frechet", extractor, samples=62, seed=3)
    labels, fake = of_classes(gan, 20, seed=3)
    real, fake = extractor.features(x), extractor.features(fake)
    distances = [frechet(real[y == label], fake[labels == label]) for label in range(CLASSES)]
    assert found["gen/class_frechet_distance_mean"] == pytest.approx(np.mean(distances), rel=1e-5)
    assert found["gen/class_frechet_distance_worst"] == pytest.approx(max(distances), rel=1e-5)
    (score, _) = found.scores.values()
    assert (score.n_real, score.n_fake, score.extractor) == (len(x) - 5, 60, extractor.name)


def reshuffled(pair):
    return tf.data.Dataset.from_tensor_slices(pair).shuffle(200, seed=0, reshuffle_each_iteration=True).batch(40)


def test_features_stay_with_their_labels_where_each_pass_has_another_order(gan, digits, extractor):
    expected = evaluate(gan, digits, "class_frechet", extractor)
    found = evaluate(gan, reshuffled(digits), "class_frechet", extractor)
    for name, score in expected.scores.items():
        assert found[name] == pytest.approx(score.value, rel=1e-6)


def test_data_with_another_order_in_each_pass_are_refused_where_a_cache_takes_passes_of_its_own(
    gan, digits, extractor, tmp_path
):
    with pytest.raises(ValueError, match="`dataset` must have one order in all passes.*Received: a data set whose"):
        evaluate(gan, reshuffled(digits), "class_frechet", extractor, cache=tmp_path)
    assert not any(tmp_path.iterdir())


def test_classes_with_fewer_examples_than_features_are_warned_of_once(gan, digits):
    with pytest.warns(UserWarning) as warned:
        evaluate(gan, digits, "class_frechet", "data")
    (warning,) = warned
    assert "rows for 64 dimensions" in str(warning.message)


def test_accuracy_is_the_share_of_samples_taken_for_the_class_asked_for(gan, digits, extractor):
    found = evaluate(gan, digits, "class_accuracy", extractor)
    labels, fake = of_classes(gan, len(digits[0]) // CLASSES)
    right = np.mean(np.argmax(extractor.probabilities(fake), axis=1) == labels)
    assert 0 < right < 1
    assert found["gen/class_accuracy"] == pytest.approx(right)
    score = found.scores["gen/class_accuracy[small:features]"]
    assert (score.n_real, score.n_fake) == (None, len(labels))


def test_a_classifier_that_knows_the_pictures_of_each_class_finds_them_all(digits):
    """Samples of 0, 1 and 2 are black, grey and white; of brightness b the logits are 0, b - 1/4 and 2 b - 1."""
    (image, judge) = keras.Input((8, 8, 1)), keras.layers.Dense(CLASSES)
    mean = keras.layers.GlobalAveragePooling2D()(image)
    judge = keras.Model(image, judge(mean))
    judge.layers[-1].set_weights([np.array([[0.0, 1.0, 2.0]]), np.array([0.0, -0.25, -1.0])])
    z, label = keras.Input((2,)), keras.Input((CLASSES,))
    shade = keras.layers.Dense(1, use_bias=False)
    flat = keras.layers.Concatenate()([z, label])
    decoder = keras.Model([z, label], keras.layers.Reshape((8, 8, 1))(keras.layers.RepeatVector(64)(shade(flat))))
    shade.set_weights([np.array([[0.0], [0.0], [0.0], [0.5], [1.0]])])
    painter = ki.create("gan", (8, 8, 1), 2, networks="mlp", width=8, classes=CLASSES, decoder=decoder, ema=None)
    found = evaluate(painter, digits, "class_accuracy", KerasFeatures(judge, None, "logits"))
    assert found["gen/class_accuracy"] == 1


# Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metrics", "change", "message"),
    [
        (["class_accuracy"], {"features": extractor_of(10)}, "must tell the model's 3 classes.*Received: .* of 10"),
        (["class_accuracy"], {"features": "data"}, "'class_accuracy' needs class probabilities, which 'data' has not"),
        (["class_frechet"], {"features": None}, "`features` is needed for 'class_frechet'"),
        (["class_frechet"], {"samples": 5}, "`samples` must be at least 6, two of each class.*Received: 5"),
        (["class_frechet"], {"y": None}, "classes=3 needs labels.*Received: no labels"),
        (["fid"], {"y": None}, "classes=3 needs labels.*Received: no labels"),  # of reconstructions
        (["elbo"], {"y": 7}, r"0\.\.2.*Received: labels from 7 to 7"),
        (["class_frechet"], {"y": 1}, r"at least two examples of each class.*\[0, \d+, 0\] examples of the classes"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_needed(vae, digits, extractor, metrics, change, message):
    (x, y), change = digits, dict(change)
    if "y" in change:
        wanted = change.pop("y")
        y = None if wanted is None else np.full(len(x), wanted)
    with pytest.raises(ValueError, match=message):
        evaluate(vae, x if y is None else (x, y), metrics, **{"features": extractor} | change)


def test_metrics_of_classes_are_not_for_models_without(digits, extractor):
    plain = ki.create("gan", (8, 8, 1), 2, networks="mlp", width=8)
    for name in ("class_frechet", "class_accuracy"):
        with pytest.raises(ValueError, match=f"'{name}' needs a conditional model, created with `classes`"):
            evaluate(plain, digits, name, extractor)


def test_the_callback_scores_classes_and_refuses_data_without_labels_before_the_first_step(data, digits, extractor):
    model, logs = create("vae"), {}
    model.compile(run_eagerly=True)
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, values: logs.update(values))
    model.fit(data, verbose=0, callbacks=[MetricsCallback(data, ["class_accuracy", "elbo"], extractor), seen])
    found = evaluate(model, data, ["class_accuracy", "elbo"], extractor)
    assert {name: logs[name] for name in found.scores} == {name: score.value for name, score in found.scores.items()}
    steps = int(model.steps)
    with pytest.raises(ValueError, match="needs labels.*Received: no labels"):
        model.fit(data, verbose=0, callbacks=[MetricsCallback(digits[0])])
    assert int(model.steps) == steps

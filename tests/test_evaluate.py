"""`evaluate` and `MetricsCallback`: scores are those of the metrics on the model's images, and say what they are."""

import functools
import io
import json
import re
import tracemalloc

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from systems import quick

import keras_ijae as ki
from keras_ijae import progress
from keras_ijae.evaluation import MEASURES, evaluate, measures, requirements
from keras_ijae.evaluation.ais import AIS
from keras_ijae.evaluation.critic import IndependentCritic
from keras_ijae.evaluation.feature_set import FeatureSet
from keras_ijae.evaluation.scoring import Evaluation
from keras_ijae.metrics.features import DataSpace, KerasFeatures
from keras_ijae.metrics.score import Score
from keras_ijae.training import MetricsCallback


@pytest.fixture(scope="module")
def data():
    return ki.datasets.load("digits", "test", 100)


@pytest.fixture(scope="module")
def x(data):
    return np.concatenate(list(data.as_numpy_iterator()))


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    model = ki.create("vae", (8, 8, 1), 3, width=16)
    model.compile(run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)
    return ki.create("gan", (8, 8, 1), 3, width=16)


@pytest.fixture(scope="module")
def extractor():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(5, name="features")]
    return KerasFeatures(keras.Sequential([*layers, keras.layers.Dense(10)]), "features", "logits", name="small")


def batch_seed(seed, name, index):
    """The seed of a batch of 256."""
    return int(ki.random.fold(seed, name, index)[0])


def sampled(model, n, seed=0):
    starts = enumerate(range(0, n, 256))
    return np.concatenate([model.sample(min(256, n - at), seed=batch_seed(seed, "samples", i)) for i, at in starts])


def remade(model, x, seed=0):
    batches = enumerate(x[at : at + 256] for at in range(0, len(x), 256))
    return np.concatenate([model.reconstruct(b, seed=batch_seed(seed, "reconstructions", i)) for i, b in batches])


def test_samples_and_reconstructions_are_scored_by_their_features(vae, data, x, extractor):
    names = ["fid", "kid", "precision_recall", "density_coverage", "sliced_wasserstein", "is"]
    found = evaluate(vae, data, names, extractor, seed=3)
    fake = sampled(vae, len(x), seed=3)
    real, gen, rec = (extractor.features(images) for images in (x, fake, remade(vae, x, seed=3)))
    assert found["gen/frechet_distance"] == pytest.approx(ki.metrics.frechet_distance(real, gen), rel=1e-6)
    assert found["rec/frechet_distance"] == pytest.approx(ki.metrics.frechet_distance(real, rec), rel=1e-6)
    assert found["gen/recall"] == ki.metrics.precision_recall(real, gen).recall
    assert found["rec/coverage"] == ki.metrics.density_coverage(real, rec).coverage
    score = found.scores["gen/kernel_distance[small:features]"]
    assert score.value == pytest.approx(ki.metrics.kernel_distance(real, gen, subset_size=None).mean, rel=1e-5)
    assert score.std is None  # there is one subset of 297
    quality = ki.metrics.inception_score(extractor.probabilities(fake))
    assert found["gen/inception_score"] == pytest.approx(quality.mean, rel=1e-6)


@pytest.mark.slow
def test_equal_numbers_of_data_and_samples_are_taken_for_the_precision_recall_curve(gan, x):
    found = evaluate(gan, x[:50], ["prd"], "data", samples=30, seed=3)
    chosen = np.random.default_rng(3).permutation(x[:50])[:30]
    flat = [np.reshape(rows, (30, -1)) for rows in (chosen, sampled(gan, 30, seed=3))]
    curve = ki.metrics.precision_recall_distribution(*flat, seed=3)
    assert (found["gen/prd_f8_recall"], found["gen/prd_f1/8_precision"]) == pytest.approx(curve.f_beta)
    assert {(score.n_real, score.n_fake) for score in found.scores.values()} == {(30, 30)}


def test_how_the_data_are_batched_changes_no_score(vae, data, x):
    scores = [evaluate(vae, form, ["fid", "mse"], "data").to_dict() for form in (data, x, data.unbatch().batch(7))]
    scores += [evaluate(vae, form, ["fid", "mse"], "data").to_dict() for form in ((x, x), {"image": x}, Sequence(x))]
    assert all(score == scores[0] for score in scores)


def test_neighbouring_seeds_share_no_samples(gan):
    first, second = (sampled(gan, 600, seed=seed) for seed in (0, 1))
    assert not {image.tobytes() for image in first} & {image.tobytes() for image in second}


def test_a_score_says_what_it_depends_on(vae, data, extractor):
    found = evaluate(vae, data, ["fid"], extractor, samples=50, seed=2)
    score = found.scores["gen/frechet_distance[small:features]"]
    assert (score.n_real, score.n_fake, score.seed) == (297, 50, 2)
    assert (score.extractor, score.weights, score.resize) == (extractor.name, extractor.checksum, None)
    assert score.dtype == "float32" and ", resize none, float32" in " ".join(str(found).split())
    assert score.versions["tensorflow"] == tf.__version__ and score.versions["keras_ijae"] == ki.__version__


def test_pictures_are_compared_pair_by_pair_whatever_the_batches(vae, data, x):
    found = evaluate(vae, data, ["mse", "psnr", "ssim", "ms_ssim"])
    for name in ("mean_squared_error", "psnr", "ssim", "ms_ssim"):
        assert found[f"rec/{name}"] == pytest.approx(getattr(ki.metrics, name)(x, remade(vae, x)), rel=1e-5)


class Distance:
    name, checksum = "lpips-mine", "abc"

    def __call__(self, first, second):
        return np.abs(first - second).mean(axis=(1, 2, 3))


def test_perceptual_distance_is_scored_with_its_network_and_its_spread_over_images(vae, data, x):
    score = evaluate(vae, data, ["lpips"], lpips=Distance()).scores["rec/lpips"]
    distances = Distance()(x, remade(vae, x))
    assert (score.value, score.std) == pytest.approx((distances.mean(), distances.std()), rel=1e-5)
    assert (score.extractor, score.weights) == ("lpips-mine", "abc")


def counted(monkeypatch, owner, name, of=lambda *arguments: 1):
    """The list to which each call of a function adds."""
    calls, original = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *a, **k: calls.append(of(*a)) or original(*a, **k))
    return calls


@pytest.mark.slow
def test_each_batch_is_reconstructed_once_for_all_metrics(vae, data, extractor, tmp_path, monkeypatch):
    names = ["mse", "psnr", "ssim", "ms_ssim", "lpips", "fid", "kid", "precision_recall"]
    arguments = {"features": extractor, "lpips": Distance(), "cache": tmp_path, "seed": 3}
    alone = [evaluate(vae, data, [name], **arguments).to_dict() for name in names]
    sizes = counted(monkeypatch, type(vae), "reconstruct", of=lambda model, x: len(x))
    together = evaluate(vae, data, names, **arguments).to_dict()
    assert sizes == [256, 41]
    assert together == {name: score for scores in alone for name, score in scores.items()}
    evaluate(vae, data, ["is", "nac"], extractor)
    assert sizes == [256, 41]  # nothing more


def test_balls_are_looked_for_once_for_both_measures_and_not_for_the_one_not_asked(vae, data, monkeypatch):
    names = ("prdc", "precision_recall", "density_coverage")
    calls = {name: counted(monkeypatch, ki.metrics, name) for name in names}
    alone = [evaluate(vae, data, [name], "data").to_dict() for name in names[1:]]
    assert [len(calls[name]) for name in names] == [0, 2, 2]  # of samples and of reconstructions
    assert evaluate(vae, data, names[1:], "data").to_dict() == alone[0] | alone[1]
    assert [len(calls[name]) for name in names] == [2, 2, 2]


def test_codes_are_taken_once_for_their_correlation(x, monkeypatch):
    keras.utils.set_random_seed(0)
    model = ki.create("ae", (8, 8, 1), 3, width=16)
    calls = counted(monkeypatch, type(model), "encode")
    evaluate(model, x, ["nac"])
    assert len(calls) == 1


@pytest.mark.slow
def test_the_model_itself_is_scored(vae, data, x, monkeypatch):
    short = functools.partial(ki.evaluation.ais_log_likelihood, steps=20, chains=2)
    monkeypatch.setattr(measures, "ais_log_likelihood", short)
    found = evaluate(vae, data, ["nac", "active_dimensions", "latent_kl", "elbo", "iw_bound", "ais"], seed=1)
    codes = vae.encode(x, seed=1)
    active = ki.metrics.active_dimensions(vae.encode(x), "posterior_mean")
    assert found["active_dimensions"] == active.sum()
    assert found["nac"] == ki.metrics.nac(codes, active)
    assert found["elbo_nats"] == pytest.approx(vae.elbo(x, seed=1).mean(), rel=1e-6)
    assert found["elbo_nats"] < found["importance_weighted_bound_nats"]
    assert found["latent_kl_nats"] == ki.evaluation.aggregate_posterior_kl(vae, x, seed=1)
    rows = np.random.default_rng(1).permutation(x)[:64]
    assert found["ais_nats"] == pytest.approx(short(vae, rows, seed=1).mean, rel=1e-6)
    assert found.scores["ais_nats"].n_real == 64 and found.scores["elbo_nats"].n_real == 297


def test_codes_of_which_fewer_than_two_are_active_have_no_correlation_and_the_other_scores_stay(tmp_path):
    keras.utils.set_random_seed(0)
    model = ki.create("ae", (4,), 2, width=8)
    for weight in model.encoder.trainable_weights:
        weight.assign(0 * weight)
    found = evaluate(
        model, np.random.default_rng(0).normal(size=(20, 4)).astype("float32"), ["nac", "latent_kl", "mse"]
    )
    assert np.isnan(found["nac"]) and found["latent_kl_nats"] == float("inf") and found["rec/mean_squared_error"] > 0
    found.save(tmp_path / "scores.json")
    written = json.loads((tmp_path / "scores.json").read_text(), parse_constant=pytest.fail)
    assert (written["nac"]["value"], float(written["latent_kl_nats"]["value"])) == ("nan", float("inf"))


def test_copies_are_looked_for_in_the_training_data(gan, data, x):
    train = ki.datasets.load("digits", "train", 100, shuffle=False)
    found = evaluate(gan, data, ["nearest", "diversity"], train=train, samples=40)
    flat = [np.reshape(rows, (len(rows), -1)) for rows in (np.concatenate(list(train.as_numpy_iterator())), x)]
    assert found["gen/nearest_train_of_held_out"] == np.median(
        ki.metrics.nearest_neighbours(flat[1], flat[0]).distances
    )
    assert found["gen/ms_ssim_diversity"] == ki.metrics.ms_ssim_diversity(sampled(gan, 40))


IMAGE, VECTOR = (8, 8, 1), (4,)
KINDS = {
    "explicit": ("vae", IMAGE, {}),
    "implicit": ("svae", VECTOR, {}),
    "no encoder": ("gan", IMAGE, {"prior": "uniform"}),
    "no encoder, vectors": ("gan", VECTOR, {}),
    "deterministic": ("wae_mmd", VECTOR, {}),
    "mask": ("mask_aae", IMAGE, {}),
    "generated prior": ("flex_ae", VECTOR, {}),
    "fitted prior": ("ae_gmm", IMAGE, {}),
}
OF_ENCODERS = {"mse", "psnr", "ssim", "ms_ssim", "lpips", "nac", "active_dimensions", "latent_kl"}
OF_LIKELIHOODS = {"elbo", "iw_bound", "ais"}
OF_IMAGES = {"psnr", "ssim", "ms_ssim", "lpips", "diversity", "is"}
OF_CLASSES = {"class_frechet", "class_accuracy"}  # tests/test_evaluate_classes.py


@functools.cache
def small(kind):
    keras.utils.set_random_seed(0)
    name, shape, arguments = KINDS[kind]
    model = ki.create(name, shape, 2, networks="mlp", width=8, **arguments)
    x = np.random.default_rng(0).uniform(size=(30, *shape)).astype("float32")
    if kind == "fitted prior":
        model.fit_prior(x)
    return model, x


def refused(model, x, name, options):
    try:
        return requirements.chosen([name], model, options["features"], x) is None
    except ValueError as error:
        assert re.search("needs (an encoder|images|an explicit|a likelihood|a prior|class prob|a cond)", str(error)), (
            error
        )
        return True


@pytest.mark.parametrize("kind", quick(KINDS, []))
def test_every_measure_scores_a_model_or_says_what_it_needs(kind, extractor, monkeypatch):
    few = {"ais_log_likelihood": {"steps": 2, "chains": 2}, "independent_critic": {"steps": 2}}
    for name, arguments in few.items():
        monkeypatch.setattr(measures, name, functools.partial(getattr(measures, name), **arguments))
    model, x = small(kind)
    options = {"features": extractor if model.data_shape == IMAGE else DataSpace(), "lpips": Distance()}
    without = {name for name in MEASURES if refused(model, x, name, options)}
    assert without == (
        OF_CLASSES
        | (set() if model.data_shape == IMAGE else OF_IMAGES)
        | (set() if model.has_encoder else OF_ENCODERS)
        | (set() if kind == "explicit" else OF_LIKELIHOODS)
    )
    names = [name for name in MEASURES if name not in {*without, "prd"}]  # which is slow, and has its own test
    found = evaluate(model, x, names, samples=25, train=x[::-1], **options)
    assert {name for name, score in found.scores.items() if not np.isfinite(score.value)} <= {"nac"}


@pytest.mark.parametrize("kind", quick(KINDS, ["implicit", "no encoder", "fitted prior"]))
def test_without_metrics_every_model_is_scored(kind):
    model, x = small(kind)
    found = set(evaluate(model, x).scores)
    of_encoder = {"rec/sliced_wasserstein[data]", "rec/mean_squared_error"} if model.has_encoder else set()
    assert found == {"gen/sliced_wasserstein[data]"} | of_encoder | ({"elbo_nats"} if kind == "explicit" else set())


def test_without_metrics_given_features_are_used(gan, data, extractor):
    assert set(evaluate(gan, data, features=extractor).scores) == {"gen/frechet_distance[small:features]"}


def test_one_name_is_a_list_of_one(gan, data):
    assert evaluate(gan, data, "diversity").to_dict() == evaluate(gan, data, ["diversity"]).to_dict()


class Sequence(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return -(-len(self.x) // 40)

    def __getitem__(self, index):
        return self.x[40 * index : 40 * (index + 1)], np.zeros(1)


@pytest.mark.slow
@pytest.mark.parametrize("form", [lambda x: (x, x), lambda x: {"image": x}, Sequence])
def test_every_form_of_data_gives_the_same_scores_with_a_cache(vae, data, x, extractor, tmp_path, form):
    options = {"features": extractor, "cache": tmp_path, "samples": 50}
    expected = evaluate(vae, data, ["fid", "mse"], **options).to_dict()
    assert evaluate(vae, form(x), ["fid", "mse"], **options).to_dict() == expected


def test_data_of_another_shape_are_refused_with_a_cache_too(gan, extractor, tmp_path):
    with pytest.raises(ValueError, match=r"must have shape \(batch, 8, 8, 1\)"):
        evaluate(gan, np.zeros((5, 9, 9, 1), "float32"), ["fid"], extractor, cache=tmp_path)


def test_data_are_counted_without_an_extractor(gan, data, extractor, monkeypatch):
    calls = counted(monkeypatch, type(extractor), "features")
    assert evaluate(gan, data, ["diversity"], extractor).scores["gen/ms_ssim_diversity"].n_fake == 297
    assert not calls


def test_vectors_are_scored_in_their_own_space():
    keras.utils.set_random_seed(0)
    model = ki.create("gan", (2,), 2, width=8)
    real = np.random.default_rng(0).normal(size=(300, 2)).astype("float32")
    found = evaluate(model, real, ["fid"], "data")
    assert list(found.scores) == ["gen/frechet_distance[data]"]
    assert found["gen/frechet_distance"] == pytest.approx(ki.metrics.frechet_distance(real, sampled(model, 300)))


@pytest.mark.slow
def test_cached_features_give_the_same_scores_and_are_not_computed_again(vae, data, extractor, tmp_path, monkeypatch):
    fresh = evaluate(vae, data, ["fid"], extractor, cache=tmp_path)
    streamed = []
    original = type(extractor).stream
    monkeypatch.setattr(type(extractor), "stream", lambda self, images: streamed.append(1) or original(self, images))
    again = evaluate(vae, data, ["fid"], extractor, cache=tmp_path)
    assert fresh.to_dict() == again.to_dict() == evaluate(vae, data, ["fid"], extractor).to_dict()
    assert len(streamed) > 0 and any(tmp_path.iterdir())


@pytest.mark.parametrize("shown", [True, False])
def test_annealed_importance_sampling_and_critics_show_how_far_they_are(gan, vae, x, monkeypatch, shown):
    """Minutes in which nothing else is seen; a stand-in is asked whether it was told to show it."""
    told = []

    def ais(*data, progress, **options):
        told.append(progress)
        return AIS(np.zeros(2), np.ones(2))

    def critic(*data, progress, **options):
        told.append(progress)
        return IndependentCritic(1.0, 1.0)

    monkeypatch.setattr(measures, "ais_log_likelihood", ais)
    monkeypatch.setattr(measures, "independent_critic", critic)
    evaluate(vae, x[:20], ["ais", "critic"], train=x[:20], progress=shown)
    assert told == [shown, shown]


def test_long_work_has_a_line_every_minute_in_a_file(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_MINUTE", 0.0)
    assert list(progress.tracked(range(2), "AIS", True)) == [0, 1]
    assert list(progress.tracked((letter for letter in "a"), "data", True)) == ["a"]
    said = re.sub(r"(?m)^\S+  | (after|in) .*", "", capsys.readouterr().err).splitlines()
    assert said == ["AIS: 0 of 2", "AIS: 1 of 2", "AIS: done", "data: 0", "data: done"]
    monkeypatch.setattr(progress, "_MINUTE", 60.0)
    list(progress.tracked(range(2), "AIS", True))
    assert capsys.readouterr().err.count("AIS") == 1


def test_long_names_stand_whole_in_a_table_of_80_columns():
    names = ["gen/class_frechet_distance_mean[digits-classifier]", "rec/mean_squared_error"]
    found = Evaluation({name: Score(name, 1.23456e-05, 1.2e-05, n_real=10_000, n_fake=10_000) for name in names})
    text = io.StringIO()
    Console(width=80, file=text).print(found.table())
    lines = [line.split() for line in text.getvalue().splitlines()]
    numbers = ["1.2346e-05", "1.2e-05", "10000", "10000"]
    whole = ["gen/class_frechet_distance_mean", *numbers], ["[digits-classifier]"], ["rec/mean_squared_error", *numbers]
    assert [line for line in lines if line in whole] == [*whole]


def test_json_and_table_hold_every_score(vae, data, extractor, tmp_path):
    found = evaluate(vae, data, ["fid", "mse"], extractor)
    found.save(tmp_path / "scores.json")
    written = json.loads((tmp_path / "scores.json").read_text())
    assert {name: entry["value"] for name, entry in written.items()} == {n: s.value for n, s in found.scores.items()}
    text = io.StringIO()
    Console(width=200, file=text).print(found.table())
    for part in (*found.scores, "small:features", extractor.checksum[:12], "seed 0", tf.__version__, "297"):
        assert part in text.getvalue()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"metrics": ["fidd"]}, "`metrics` must name some of fid, .* Received: 'fidd'. Did you mean 'fid'"),
        ({"metrics": "FID"}, r"Received: 'FID'. Did you mean 'fid'\?$"),
        ({"metrics": "frechet_distance"}, r"Received: 'frechet_distance'. Did you mean 'fid'\?$"),
        ({"metrics": "gen/prd_f1/8_precision[data]"}, r"Did you mean 'prd'\?$"),
        ({"metrics": "zzz"}, "Received: 'zzz'$"),
        ({"metrics": []}, "`metrics` must name some of"),
        ({"metrics": ["fid"]}, "`features` is needed for 'fid'"),
        ({"metrics": ["is"], "features": "data"}, "'is' needs class probabilities, which 'data' has not"),
        ({"metrics": ["mse"]}, "'mse' needs an encoder. Received: GAN"),
        ({"metrics": ["elbo"]}, "'elbo' needs an explicit posterior, likelihood and prior. Received: GAN"),
        ({"metrics": ["ais"]}, "'ais' needs a likelihood with a density"),
        ({"metrics": ["critic"]}, "`train` is needed for 'critic'"),
        ({"metrics": ["diversity"], "samples": 1}, "`samples` must be an integer >= 2"),
        ({"metrics": "diversity", "samples": 2.5}, "`samples` must be an integer"),
        ({"metrics": "diversity", "seed": -1}, "`seed` must be an integer >= 0"),
        ({"metrics": ["fid"], "features": "none.keras"}, "no stored classifier at none.keras"),
    ],
)
def test_metrics_that_lack_something_are_refused_before_anything_is_computed(gan, data, arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(gan, data, **arguments)


def taking(shape):
    """An extractor of images of that shape, None where it takes any."""
    images = keras.Input(shape)
    return KerasFeatures(keras.Model(images, keras.layers.GlobalAveragePooling2D()(images)), name="other")


@pytest.mark.parametrize("shape", [(40, 48, 1), (8, None, 1), (None, 48, 3), (8, 16, 3)])
def test_an_extractor_of_other_images_is_refused_with_both_shapes_before_anything_is_computed(shape, monkeypatch):
    model = ki.create("gan", (8, 16, 2), 2, networks="mlp", width=8)
    monkeypatch.setattr("keras_ijae.evaluation.scoring.Material", pytest.fail)
    expected = f"`features` must take images of shape (8, 16, 2). Received: 'other', which takes {shape}"
    with pytest.raises(ValueError, match=re.escape(expected)):
        evaluate(model, np.zeros((5, 8, 16, 2), "float32"), ["fid"], taking(shape))


def test_an_extractor_of_colours_takes_grey_images_and_one_of_any_size_takes_all():
    assert taking((8, 8, 3)).takes((8, 8, 1)) and taking((None, None, 2)).takes((5, 6, 2))
    assert not taking((8, 8, 1)).takes((8, 8, 3)) and not taking((8, 8, 3)).takes((8, 9, 1))


def test_pictures_of_vectors_are_refused_and_their_squared_error_is_not():
    model = ki.create("ae", (4,), 2, width=8)
    x = np.zeros((5, 4), "float32")
    assert evaluate(model, x, "mse")["rec/mean_squared_error"] == np.mean(model.reconstruct(x) ** 2)
    with pytest.raises(ValueError, match="'psnr' needs images. Received: AE"):
        evaluate(model, x, "psnr")


def test_no_data_are_refused(gan, x):
    with pytest.raises(ValueError, match="`dataset` must have examples"):
        evaluate(gan, x[:0], ["fid"], "data")


def test_data_without_an_end_are_refused(gan, data):
    with pytest.raises(ValueError, match="must end"):
        evaluate(gan, data.repeat(), ["fid"], "data")


@pytest.mark.parametrize("argument", ["dataset", "train"])
@pytest.mark.parametrize("once", [iter, lambda x: (batch for batch in x)], ids=["iterator", "generator"])
def test_data_that_can_be_read_only_once_are_refused_by_name(gan, x, argument, once):
    data = {"dataset": x[:20], "train": x[:20], argument: once([x[:20]])}
    with pytest.raises(ValueError, match=f"`{argument}` must be an array.* more than once. Received: <"):
        evaluate(gan, data["dataset"], ["nearest"], train=data["train"])


@pytest.mark.parametrize(
    ("metrics", "rows", "samples", "message"),
    [
        ("fid", 1, None, "`dataset` must have at least 2 examples for 'fid'. Received: 1"),
        ("kid", 1, 5, "`dataset` must have at least 2 examples for 'kid'. Received: 1"),
        ("precision_recall", 3, 8, "`dataset` must have at least 4 examples for 'precision_recall'. Received: 3"),
        ("precision_recall", 8, 3, "`samples` must be at least 4 for 'precision_recall'; .* Received: 3"),
        ("density_coverage", 4, 8, "`dataset` must have at least 6 examples for 'density_coverage'. Received: 4"),
        (["precision_recall", "density_coverage"], 8, 3, "`samples` must be at least 4 for 'precision_recall'"),
        ("prd", 12, 8, "`samples` must be at least 10 for 'prd'; by default there are as many as data. Received: 8"),
        ("prd", 8, None, "`dataset` must have at least 10 examples for 'prd'. Received: 8"),
        ("critic", 12, 5, "`samples` must be at least 10 for 'critic'; by default there are as many as data"),
        ("critic", 9, 12, "`dataset` must have at least 10 examples for 'critic'. Received: 9"),
        ("diversity", 1, None, "`samples` must be at least 2 for 'diversity'; .* Received: 1"),
        ("nac", 1, None, "`dataset` must have at least 2 examples for 'nac'. Received: 1"),
        ("active_dimensions", 1, None, "`dataset` must have at least 2 examples for 'active_dimensions'. Received: 1"),
        ("latent_kl", 1, None, "`dataset` must have at least 2 examples for 'latent_kl'. Received: 1"),
    ],
)
def test_too_few_data_or_samples_are_refused_before_sampling(vae, x, metrics, rows, samples, message, monkeypatch):
    monkeypatch.setattr(type(vae), "sample", pytest.fail)
    with pytest.raises(ValueError, match=message):
        evaluate(vae, x[:rows], metrics, "data", samples=samples, train=x[:20])


@pytest.mark.filterwarnings("ignore:.*biased")
def test_the_least_data_and_samples_of_each_measure_suffice(vae, x, extractor, monkeypatch):
    monkeypatch.setattr(measures, "independent_critic", functools.partial(measures.independent_critic, steps=2))
    for name, measure in MEASURES.items():
        if name not in {"ais", *OF_CLASSES}:
            data, samples = measure.least
            options = {"features": extractor, "lpips": Distance(), "samples": max(samples, 2), "train": x[:10]}
            assert evaluate(vae, x[:data], name, **options).scores


def test_every_measure_has_a_line_for_people():
    assert all(measure.summary and "\n" not in measure.summary for measure in MEASURES.values())


# The callback.


def fit(model, callback, epochs, initial_epoch=0):
    keras.utils.set_random_seed(0)
    logs = []
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, values: logs.append(dict(values)))
    train = ki.datasets.load("digits", "train[:200]", 100)
    model.fit(train, epochs=epochs, initial_epoch=initial_epoch, verbose=0, callbacks=[callback, seen])
    return logs


def callback(data, path, **arguments):
    best = {"best": path / "best.weights.h5", "monitor": "rec/mean_squared_error"}
    return MetricsCallback(data, ["mse"], log_dir=path / "logs", **(best | arguments))


@pytest.mark.slow
def test_without_metrics_the_callback_scores_what_evaluate_does(vae, data):
    logs = fit(vae, MetricsCallback(data), epochs=1)
    assert set(evaluate(vae, data).scores) <= set(logs[0])


@pytest.mark.slow
def test_scores_join_the_logs_of_their_epochs_and_tensorboard(vae, data, tmp_path):
    logs = fit(vae, callback(data, tmp_path, every=3), epochs=4)
    assert ["rec/mean_squared_error" in entry for entry in logs] == [False, False, True, True]  # the last too
    assert logs[3]["rec/mean_squared_error"] == evaluate(vae, data, ["mse"])["rec/mean_squared_error"]
    events = [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for path in (tmp_path / "logs").glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]
    assert [(step, tag) for step, tag, _ in events] == [(2, "rec/mean_squared_error"), (3, "rec/mean_squared_error")]
    np.testing.assert_allclose([v for *_, v in events], [logs[i]["rec/mean_squared_error"] for i in (2, 3)], rtol=1e-6)


@pytest.mark.parametrize("mode, better", [("min", min), ("max", max)])
@pytest.mark.slow
def test_the_weights_of_the_best_epoch_are_kept(vae, data, tmp_path, mode, better):
    logs = fit(vae, callback(data, tmp_path, mode=mode), epochs=3)
    values = [entry["rec/mean_squared_error"] for entry in logs]
    record = json.loads((tmp_path / "best.json").read_text())
    assert (record["value"], record["epoch"]) == (better(values), 1 + values.index(better(values)))
    vae.load_weights(tmp_path / "best.weights.h5")
    assert evaluate(vae, data, ["mse"])["rec/mean_squared_error"] == pytest.approx(better(values), rel=1e-6)


@pytest.mark.slow
def test_a_continued_run_goes_on_comparing_and_a_new_one_does_not_overwrite(vae, data, tmp_path):
    fit(vae, callback(data, tmp_path), epochs=1)
    record = json.loads((tmp_path / "best.json").read_text()) | {"value": 0.0}
    (tmp_path / "best.json").write_text(json.dumps(record))
    fit(vae, callback(data, tmp_path), epochs=2, initial_epoch=1)
    assert json.loads((tmp_path / "best.json").read_text()) == record
    with pytest.raises(ValueError, match="`best` exists.*overwrite=True.*beside a `Backup` always"):
        fit(vae, callback(data, tmp_path), epochs=1)
    fit(vae, callback(data, tmp_path, overwrite=True), epochs=1)
    assert json.loads((tmp_path / "best.json").read_text())["value"] > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"every": 0}, "`every` must be an integer >= 1"),
        ({"every": 1.5}, "`every` must be an integer"),
        ({"mode": "low"}, "`mode` must be 'min' or 'max'. Received: 'low'"),
        ({"monitor": None}, "`best` and `monitor` belong together"),
        ({"best": "best.h5"}, "must end in .weights.h5. Received: best.h5"),
    ],
)
def test_a_callback_that_cannot_work_is_refused(data, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        callback(data, tmp_path, **arguments)


def test_a_value_that_is_not_a_number_never_counts_as_the_best(vae, tmp_path):
    kept = MetricsCallback(None, best=tmp_path / "b.weights.h5", monitor="rec/mean_squared_error")
    kept.set_model(vae)
    for epoch, value in enumerate([1.0, float("nan"), 5.0]):
        kept._keep(epoch, value, ki.evaluation.Evaluation({}))
    assert json.loads((tmp_path / "b.json").read_text())["epoch"] == 1


def test_a_monitor_that_no_metric_gives_stops_fit_before_the_first_step(vae, data, tmp_path):
    before = int(vae.steps)
    with pytest.raises(ValueError, match="`monitor` must be one of rec/mean_squared_error. Received: 'gen/nothing'"):
        fit(vae, callback(data, tmp_path, monitor="gen/nothing"), epochs=1)
    assert int(vae.steps) == before


def test_metrics_that_do_not_fit_the_model_stop_fit_before_the_first_step(gan, data, tmp_path):
    gan.compile()
    with pytest.raises(ValueError, match="'mse' needs an encoder"):
        fit(gan, callback(data, tmp_path), epochs=1)
    assert int(gan.steps) == 0


def test_moments_of_features_are_those_of_all_rows_and_take_no_more_memory_for_more_rows():
    rows, peaks = np.random.default_rng(0).normal(size=(70_000, 6)).astype("float32"), []
    for count in (21_000, 70_000):
        tracemalloc.start()
        found = FeatureSet(moments=True)
        for start in range(0, count, 500):
            found.take(rows[start : start + 500].copy())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.count == found.moments.count == count
    np.testing.assert_allclose(found.moments.covariance, np.cov(rows, rowvar=False, dtype="float64"), rtol=1e-9)
    assert peaks[1] < 1.05 * peaks[0] < rows.nbytes


def test_measures_of_features_and_of_their_moments_give_together_what_each_gives_alone(vae, data, extractor):
    both = evaluate(vae, data, ["fid", "kid"], extractor)
    for name in ("fid", "kid"):
        alone = evaluate(vae, data, [name], extractor)
        assert all(both.scores[key] == score for key, score in alone.scores.items())

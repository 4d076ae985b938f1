"""`fit_prior`: a density of the codes, which samples are drawn from and the game does not see."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import LATENT, codes_of_samples, compiled, create, dataset, images, same, train, weights
from tiny import float64  # noqa: F401

import keras_ijae as ki
from keras_ijae import evaluation, random
from keras_ijae.distributions import (
    MAF,
    GaussianMixture,
    LearnedMixture,
    Prior,
    RealNVP,
    Sphere,
    TwoStage,
    Uniform,
    VampPrior,
)
from keras_ijae.distributions.priors import FITTED, _likelihood
from keras_ijae.evaluation.capabilities import scored_prior
from keras_ijae.game import data as game_data
from keras_ijae.training import Backup

KINDS = ("ae", "vae", "ijae", "mask_aae", "flex_ae")  # mean codes, implicit ones, masked ones, a learned prior
X = images()


@keras.saving.register_keras_serializable("tests")
class Box(Prior):
    """Uniform on the smallest box around the codes: a user's own prior."""

    can_fit = True

    def __init__(self, latent_dim, **options):
        super().__init__(latent_dim, **options)
        self.ends = self.add_weight((2, latent_dim), "zeros", trainable=False, autocast=False)
        self.built = True

    def fit(self, codes, seed=0):
        self.ends.assign([codes.min(0), codes.max(0)])

    def sample(self, n, seed):
        uniform = tf.cast(random.uniform((n, self.latent_dim), seed), tf.float64)
        low, high = tf.cast(self.ends[0], tf.float64), tf.cast(self.ends[1], tf.float64)
        return tf.cast(low + (high - low) * uniform, tf.float32)


def of_the_game(model):
    """All weights and optimizers but the fitted density."""
    fitted = set() if model.sampling_prior is model.prior else {id(w) for w in model.sampling_prior.weights}
    own = [*model.weights, *(v for optimizer in model.optimizer.by_move.values() for v in optimizer.variables)]
    return {f"{index}:{w.path}": w.numpy() for index, w in enumerate(own) if id(w) not in fitted}


def scored(model):
    return evaluation.evaluate(model, X, ["sliced_wasserstein"], "data").to_dict()


@pytest.mark.parametrize("name", KINDS)
def test_samples_have_the_codes_mean_and_covariance_and_the_prior_stays(name):
    model = create(name)
    before, kept = model.prior.sample(5, 1), model.prior
    assert model.sampling_prior is model.prior
    model.fit_prior(X, "normal")
    codes, drawn = drawn_for_fits(name), codes_of_samples(model, 20_000, 1)
    np.testing.assert_allclose(drawn.mean(0), codes.mean(0), atol=0.03 * codes.std(0).max() + 1e-3)
    covariance = np.cov(codes.T, bias=True)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.04 * covariance.max() + 1e-5)
    assert model.prior is kept
    np.testing.assert_array_equal(model.prior.sample(5, 1), before)
    np.testing.assert_allclose(model.sample(5, seed=1), model.decode(drawn[:5], seed=1), atol=1e-6)


def test_a_sphere_is_fitted_at_the_mean_radius_of_the_codes_and_kept_with_the_model(tmp_path):
    model = create("ae")
    model.fit_prior(X, "sphere")
    radius = np.linalg.norm(model.encode(X), axis=1).mean()
    drawn = codes_of_samples(model, 9, 0)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), radius, rtol=1e-5)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(codes_of_samples(keras.models.load_model(tmp_path / "m.keras"), 9, 0), drawn)


def test_dimensions_that_a_mask_closes_stay_closed():
    model = create("mask_aae")
    model.mask.a.assign([5.0, 0.0])
    for weight, average in model.averages:
        average.assign(weight)
    assert list(model.active_dims) == [0]
    model.fit_prior(X, "normal")
    drawn = codes_of_samples(model, 500, 0)
    np.testing.assert_allclose(drawn[:, 1], 0, atol=0.01)  # the fit adds 1e-6 to variances
    np.testing.assert_allclose(drawn[:, 0].std(), model.encode(X)[:, 0].std(), rtol=0.1)


SERVED = [
    *((name, "gmm") for name in KINDS),
    ("ae", "sphere"),
    ("ae", Box(LATENT)),
    ("ijae", RealNVP(LATENT, depth=2, width=8)),
    ("vae", MAF(LATENT, depth=2, width=8)),
    ("vae", VampPrior(LATENT, components=4)),
]


@pytest.mark.parametrize(("name", "prior"), SERVED)
@pytest.mark.slow
def test_what_is_saved_loaded_and_served_draws_the_same_codes_bit_for_bit(name, prior, tmp_path):
    model = create(name)
    model.fit_prior(X, prior)
    codes = codes_of_samples(model, 50, 3)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert type(loaded.sampling_prior) is type(model.sampling_prior)
    assert loaded.sampling_prior is not loaded.prior
    same(weights(model), weights(loaded))
    np.testing.assert_array_equal(codes_of_samples(loaded, 50, 3), codes)
    loaded.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served")).signatures
    arguments = {"n": tf.constant(50), "seed": tf.constant(3)}
    np.testing.assert_array_equal(served["sample_codes"](**arguments)["codes"], codes)
    np.testing.assert_allclose(served["sample"](**arguments)["observations"], model.sample(50, seed=3), atol=1e-5)
    np.testing.assert_allclose(served["encode"](x=tf.constant(X))["codes"], model.encode(X), atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), [("ijae", {}), ("wae_mmd", {"prior": "gmm"})])
@pytest.mark.slow
def test_training_goes_on_as_if_no_prior_had_been_fitted(name, arguments, tmp_path):
    keras.utils.set_random_seed(1)
    model = ki.create(name, X.shape[1:], LATENT, networks="mlp", width=8, **arguments)
    model.compile()
    model.save(tmp_path / "m.keras")
    fitted = keras.models.load_model(tmp_path / "m.keras")
    fitted.fit_prior(X, "gmm")
    codes = codes_of_samples(fitted, 9, 0)
    train(model)
    train(fitted)
    same(of_the_game(model), of_the_game(fitted))
    np.testing.assert_array_equal(codes_of_samples(fitted, 9, 0), codes)


def test_the_one_named_at_creation_is_the_default_and_its_weights_stay_with_the_game():
    model = ki.create("ae_gmm", X.shape[1:], LATENT, networks="mlp", width=8)
    before = model.prior.get_weights()
    model.fit_prior(X)
    assert isinstance(model.sampling_prior, GaussianMixture) and model.sampling_prior.components == 10
    for one, other in zip(before, model.prior.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert scored_prior(model) is model.sampling_prior  # it has no bounds of its own
    model = create("vae")
    model.fit_prior(X, "gmm")
    assert scored_prior(model) is model.prior


def test_bounds_do_not_change_but_scores_of_samples_do():
    model = create("vae")
    bounds, samples = [model.elbo(X), model.importance_weighted_bound(X, 3)], scored(model)
    model.fit_prior(X, "normal")
    np.testing.assert_array_equal([model.elbo(X), model.importance_weighted_bound(X, 3)], bounds)
    assert scored(model) != samples


@pytest.mark.slow
def test_fitting_again_replaces_it_and_leaves_nothing_of_the_one_before():
    model = create("ae")
    model.fit_prior(X, "gmm")
    first, count = codes_of_samples(model, 9, 0), len(model.weights)
    given = GaussianMixture(LATENT, 3)
    model.fit_prior(X, given)
    assert model.sampling_prior is not given and len(model.weights) == count
    np.testing.assert_array_equal(given.means, 0)  # a copy was fitted
    assert model.sampling_prior.components == 3
    np.testing.assert_array_equal(codes_of_samples(model, 9, 0), model.sampling_prior.sample(9, 0))
    assert not np.array_equal(codes_of_samples(model, 9, 0), first)
    model.fit_prior(X, "gmm")
    np.testing.assert_array_equal(codes_of_samples(model, 9, 0), first)
    model.fit_prior(X, "gmm", seed=5)
    assert not np.array_equal(codes_of_samples(model, 9, 0), first)


@pytest.mark.slow
def test_backups_from_before_and_after_the_fit_are_resumed_from(tmp_path):
    arrays = {"data": images(), "batch_size": 8}  # in their order, which a backup restores
    model = compiled("ae")
    train(model, **arrays, callbacks=[Backup(tmp_path)])
    model.fit_prior(X, "gmm")
    codes = codes_of_samples(model, 9, 0)
    train(model, **arrays, epochs=2, callbacks=[Backup(tmp_path)])  # it begins with the backup from before
    np.testing.assert_array_equal(codes_of_samples(model, 9, 0), codes)
    model.fit_prior(X, "normal")  # of other shapes than the one in the newest backup
    train(model, **arrays, epochs=3, callbacks=[Backup(tmp_path)])
    assert model.sampling_prior.components == 1
    anew, straight = compiled("ae"), compiled("ae")
    with pytest.warns(UserWarning, match="none is trained now"):
        train(anew, **arrays, epochs=3, callbacks=[Backup(tmp_path)])
    train(straight, **arrays, epochs=3)
    same(weights(anew), weights(straight))
    same(of_the_game(model), of_the_game(straight))


class Batches(keras.utils.PyDataset):
    def __init__(self, endless):
        super().__init__()
        self.endless = endless

    @property
    def num_batches(self):
        return None if self.endless else 4

    def __getitem__(self, index):
        return X[8 * index : 8 * index + 8]


def test_every_form_of_data_is_taken():
    found = []
    for data in (X, (X, np.arange(len(X))), dataset(), dataset().map(lambda x: {"image": x}), Batches(endless=False)):
        model = create("ae")
        model.fit_prior(data, "normal")
        found.append(model.sampling_prior.means.numpy())
    for means in found[1:]:
        np.testing.assert_allclose(means, found[0], atol=1e-5)


def diverged():
    model = create("ae")
    model.encoder.trainable_weights[0].assign(np.full(model.encoder.trainable_weights[0].shape, np.nan))
    return model


@pytest.mark.parametrize(
    ("model", "data", "prior", "message"),
    [
        ("gan", X, "gmm", "GAN has no encoder, so it cannot fit a prior"),
        (
            "ae",
            X,
            None,
            "one of .*'gmm', 'normal', .*or a `Prior` that can be fitted: what samples are drawn from, StandardN",
        ),
        ("ae", X, "gmn", "`prior` must be one of .*'gmm', 'normal'.* Received: prior='gmn'. Did you mean 'gmm'?"),
        (
            "ae",
            X,
            10,
            "`prior` must be one of .*'gmm', .*or a `Prior` that can be fitted. Received: prior=10",
        ),
        ("ae", X, Uniform(LATENT), "`Prior` that can be fitted, as `GaussianMixture`. Received: Uniform"),
        ("ae", X, GaussianMixture(3), r"event shape \(2,\). Received: event_shape=\(3,\)"),
        ("ae", X[:9], "gmm", r"n at least 10.*: give more codes, or a mixture of fewer. Received: shape \(9, 2\)"),
        ("ae", X * 2, "gmm", r"`x` must be images in \[0, 1\]"),
        ("ae", dataset().repeat(), "gmm", "must end. Received: one that repeats for ever"),
        ("ae", Batches(endless=True), "gmm", "must end. Received: one that repeats for ever"),
        ("ae", dataset().take(0), "gmm", "`data` is empty"),
        (diverged, X, "gmm", "diverged.* Received: 32 of 32 codes with NaN"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_changes(model, data, prior, message):
    model = create(model) if isinstance(model, str) else model()
    before = weights(model)
    with pytest.raises(ValueError, match=message):
        model.fit_prior(data, prior)
    assert model.sampling_prior is model.prior
    same(before, weights(model))


def test_a_seed_that_none_can_be_is_refused():
    with pytest.raises(ValueError, match="`seed` must be an integer from 0 to 4294967295. Received: seed=-1"):
        create("ae").fit_prior(X, "gmm", seed=-1)


def drawn_for_fits(name):
    """The codes with noise that a prior of this system is fitted to."""
    return fitted(name, "draws", seed=0)[1](0)


@keras.saving.register_keras_serializable("tests")
class Keeps(Prior):
    """Keeps what it is given, and what it is bound to."""

    can_fit = True

    def __init__(self, latent_dim, fits="codes", **options):
        super().__init__(latent_dim, **options)
        self.fits, self.bound = fits, 0

    def bind(self, model):
        self.bound += 1
        self.sizes = model.data_shape, model.encoder is not None

    def fit(self, given, seed=0):
        self.given = given

    def sample(self, n, seed):
        return random.normal((n, self.latent_dim), seed)

    def get_config(self):
        return {**super().get_config(), "fits": self.fits}


def fitted(name, fits, data=X, seed=3, **arguments):
    model = create(name, **arguments)
    model.fit_prior(data, Keeps(LATENT, fits), seed)
    return model, model.sampling_prior.given


def test_of_a_large_array_some_rows_are_encoded_at_once(monkeypatch):
    whole = fitted("vae", "draws")[1](1)
    monkeypatch.setattr(game_data, "ROWS", 5)
    real, seen = ki.models.VAE.parameters, []
    monkeypatch.setattr(
        ki.models.VAE, "parameters", lambda model, x, *more: seen.append(len(x)) or real(model, x, *more)
    )
    np.testing.assert_allclose(fitted("vae", "draws")[1](1), whole, rtol=1e-5, atol=1e-6)
    assert max(seen) == 5 and sum(seen) == len(X)


@pytest.mark.slow
def test_codes_are_drawn_anew_in_each_pass_from_the_posterior_of_each_row():
    model, draws = fitted("vae", "draws")
    passes = np.stack([draws(number) for number in range(400)])
    posterior = model.posterior(X)
    deviation = posterior.stddev().numpy()
    assert np.abs((passes.mean(0) - posterior.mean()) / deviation).max() < 5 / 20
    np.testing.assert_allclose(passes.std(0) / deviation, 1, atol=0.25)
    np.testing.assert_array_equal(draws(7), passes[7])
    assert np.abs(np.corrcoef(passes[:, 0, 0], passes[:, 1, 0])[0, 1]) < 0.2  # of their own for each row


def test_draws_of_implicit_encoders_are_encodings_with_noise_and_of_deterministic_ones_the_codes():
    data = dataset(batch=5)
    model, draws = fitted("ijae", "draws", data)
    first, again, second = draws(0), draws(0), draws(1)
    np.testing.assert_array_equal(first, again)
    assert first.shape == second.shape == (30, LATENT) and (first != second).all()
    model, draws = fitted("ae", "draws")
    np.testing.assert_array_equal(draws(0), model.encode(X))
    np.testing.assert_array_equal(draws(1), draws(0))


def test_chosen_observations_are_rows_of_the_data_none_twice_by_the_seed():
    _, choose = fitted("ae", "observations", dataset(batch=5))
    chosen = choose(7)
    where = [np.flatnonzero((X == row).all((1, 2, 3))).item() for row in chosen]
    assert len(set(where)) == 7 and where == sorted(where) and max(where) < 30
    np.testing.assert_array_equal(choose(7), chosen)
    assert len(choose(30)) == 30
    with pytest.raises(ValueError, match="`data` must have at least 31 rows, of which 31 are chosen. Received: 30"):
        choose(31)


def test_a_prior_is_bound_once_to_the_model_that_draws_from_it_loaded_ones_too(tmp_path):
    model = create("ae", sampling_prior=Keeps(LATENT))
    model.save(tmp_path / "m.keras")
    for one in (model, keras.models.load_model(tmp_path / "m.keras")):
        assert isinstance(one.sampling_prior, Keeps) and one.sampling_prior is not one.prior
        assert (one.sampling_prior.bound, one.sampling_prior.sizes) == (1, (X.shape[1:], True))
    model.fit_prior(X)  # a copy
    assert model.sampling_prior.bound == 1
    assert create("ae", prior=Keeps(LATENT)).prior.bound == 1


def test_a_sampling_prior_given_at_creation_is_drawn_from_and_none_of_the_losses():
    model = create("vae", sampling_prior=Uniform(LATENT, 3.0, 4.0))
    codes = codes_of_samples(model, 50, 0)
    assert codes.min() > 3 and codes.max() < 4
    np.testing.assert_array_equal(model.elbo(X), create("vae").elbo(X))
    with pytest.raises(ValueError, match="`prior` must be one of .* what samples are drawn from, Uniform, cannot"):
        model.fit_prior(X)


ALL_KINDS = {
    "gmm": "gmm",
    "normal": "normal",
    "flow": MAF(LATENT, depth=2, width=8),
    "realnvp": RealNVP(LATENT, depth=2, width=8),
    "two_stage": TwoStage(LATENT, width=8, depth=1, epochs=3, batch_size=8),
    "vamp": VampPrior(LATENT, 4),
    "sphere": "sphere",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_prior_fitted_under_two_replicas_is_that_of_one(kind, two_replicas):
    def drawn():
        model = create("vae")
        model.fit_prior(X, ALL_KINDS[kind])
        return model, codes_of_samples(model, 20, 1)

    alone = drawn()[1]
    with two_replicas.scope():
        model, inside = drawn()
    np.testing.assert_allclose(inside, alone, rtol=1e-4, atol=1e-4)
    model.fit_prior(X, ALL_KINDS[kind])  # outside of the scope that it was made in
    np.testing.assert_allclose(codes_of_samples(model, 20, 1), alone, rtol=1e-4, atol=1e-4)


def test_every_name_of_a_fit_is_tested_on_replicas():
    assert set(ALL_KINDS) >= set(FITTED)


@pytest.mark.parametrize("kind", ["flow", "realnvp", "two_stage"])
def test_what_is_fitted_by_steps_is_in_float64_too(kind, float64, monkeypatch):  # noqa: F811
    monkeypatch.setattr(_likelihood, "STEPS", 5)
    monkeypatch.setattr(_likelihood, "PERIOD", 5)
    prior = type(ALL_KINDS[kind]).from_config(ALL_KINDS[kind].get_config())
    before = prior.sample(20, 1).numpy()
    prior.fit(np.random.default_rng(0).normal(3.0, 0.5, size=(50, LATENT)))
    drawn = prior.sample(20, 1).numpy()
    assert drawn.mean() > before.mean() + 2 and np.isfinite(drawn).all()


@pytest.mark.parametrize("kind", ["gmm", "sphere", "maf"])
def test_a_game_without_codes_trains_on_a_density_that_was_fitted_elsewhere_and_is_saved_with_it(kind, tmp_path):
    known = {
        "gmm": GaussianMixture(LATENT, 2),
        "sphere": Sphere(LATENT, None),
        "maf": MAF(LATENT, 2, 4, trainable=False),
    }
    prior = known[kind]
    if kind != "maf":  # whose weights come from a file
        prior.fit(np.random.default_rng(0).normal(3.0, 0.5, (50, LATENT)).astype("float32"), 0)
    before, model = prior.sample(5, 1).numpy(), compiled("gan", prior=prior)
    train(model)
    np.testing.assert_array_equal(codes_of_samples(model, 5, 1), before)
    model.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(codes_of_samples(ki.load_model(tmp_path / "gan.keras"), 5, 1), before)


@pytest.mark.slow
def test_what_the_game_learns_awaits_no_fit_and_what_is_named_for_samples_does():
    awaits = {
        "gmm": create("ae", prior=GaussianMixture(LATENT, 2)),
        "flow": create("ae", sampling_prior=RealNVP(LATENT, 2, 8)),
        "flow of the game": create("flow_vae"),
        "pseudo-inputs of the game": create("vamp_vae"),
        "mixture": create("vae", prior=LearnedMixture(LATENT, 2)),
        "none": create("vae"),
        "no encoder": create("gan"),
    }
    assert [name for name, model in awaits.items() if model.awaits_fit] == ["gmm", "flow"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "gan",
            {"prior": "gmm"},
            "`prior` must be one that is not fitted to codes.* or an instance.* GAN has no encoder",
        ),
        ("gan", {"sampling_prior": "gmm"}, "GAN has no encoder, so it cannot take the argument `sampling_prior`"),
        ("vae", {"sampling_prior": "gnn"}, "`sampling_prior` must be .*gmm"),
        ("vae", {"sampling_prior": Uniform(3)}, r"`sampling_prior` must have event shape \(2,\)"),
        (
            "rae",
            {"sampling_prior": "vamp"},
            "VampPrior needs a posterior.*Received: a RAE whose posterior is impl",
        ),
        (
            "avb",
            {"sampling_prior": "vamp"},
            "VampPrior needs a posterior.*Received: a AVB whose posterior is impl",
        ),
        ("vae", {"sampling_prior": "gmm", "classes": 3}, "`classes` is not taken by VAE: its prior, GaussianMixture"),
    ],
)
def test_priors_that_samples_cannot_be_drawn_from_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        create(name, **arguments)


def test_a_generator_cannot_be_gone_through_again():
    with pytest.raises(ValueError, match="Argument `data` must be an array.* Received: a generator"):
        create("ae").fit_prior((X[:4] for _ in range(2)), "normal")


def test_a_density_of_codes_has_the_spread_of_the_posterior_too():
    model = create("vae")
    model.encoder.layers[-1].set_weights([np.zeros_like(weight) for weight in model.encoder.layers[-1].get_weights()])
    model.fit_prior(np.tile(X, (100, 1, 1, 1)), "normal")  # q(z|x) = N(0, I) whatever x is
    np.testing.assert_allclose(codes_of_samples(model, 5000, 0).std(0), 1, atol=0.06)


@pytest.mark.parametrize("how", ["fitted", "given"])
def test_a_prior_whose_codes_leave_the_simplex_is_refused_for_sticks(how):
    with pytest.raises(
        ValueError,
        match="as StickBreaking does: .* a GaussianMixture, whose codes are in R.latent_dim",
    ):
        model = create("stick_vae", sampling_prior="gmm" if how == "given" else None)
        model.fit_prior(X, "gmm")
    model = create("stick_vae")
    model.fit_prior(X, VampPrior(LATENT, 4))
    np.testing.assert_allclose(codes_of_samples(model, 50, 0).sum(1), 1, atol=1e-5)

"""The relaxed injective flow: bounds of a decoder's volume, exact ones of linear maps, losses and their gradients."""

import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import stats
from systems import create, images
from tiny import affine, bilinear, check_a_weight_comes_back, float64, network, play_phase, signs  # noqa: F401

from keras_ijae.distributions import LearnedMixture, Uniform
from keras_ijae.models import InjFlow

W = np.array([[1.2, 0.0], [0.5, -0.8], [0.0, 1.0], [-0.7, 0.3]])  # a linear decoder: x = W z
EXACT, BOUND = 1.22356953, 1.34078039  # log det W'W, and m log(||W||_F^2 / m)


def linear(decoder, **arguments):
    encoder = affine(np.eye(len(decoder))[:, :2], sizes=(len(decoder),))
    return InjFlow(encoder=encoder, decoder=affine(decoder.T, sizes=(2,)), **arguments)


def volume(model, directions, size=4):
    """2 x what the loss has for 1/2 log det J'J, a mean over directions."""
    noise = {"code": np.zeros((len(directions), 0)), "direction": directions}
    played = play_phase(model, np.ones((len(directions), size)), noise, "auto_encoder")
    assert played.penalties["auto_encoder"] is played.logs["log_volume_bound_sum"]
    return 2 * float(played.logs["log_volume_bound_sum"])


def circle(rows=360):
    angles = np.arange(rows) * 2 * np.pi / rows
    return np.stack([np.cos(angles), np.sin(angles)], 1)


@pytest.mark.usefixtures("float64")
def test_the_bounds_of_a_linear_decoders_volume_are_in_their_order():
    """1.22356953 = log det W'W <= m E log ||W u||^2 <= m log(||W||_F^2 / m) = 1.34078039 <= ||W||_F^2 - m = 1.91."""
    logarithmic, plain = volume(linear(W, logarithm=True), circle()), volume(linear(W), circle())
    assert np.linalg.slogdet(W.T @ W)[1] == pytest.approx(EXACT, abs=1e-8)
    assert 2 * np.log(np.sum(W**2) / 2) == pytest.approx(BOUND, abs=1e-8)
    a, b = np.linalg.svd(W, compute_uv=False)  # E log(a^2 cos^2 + b^2 sin^2) = 2 log((a + b) / 2)
    assert logarithmic == pytest.approx(4 * np.log((a + b) / 2), abs=1e-10)
    assert plain == pytest.approx(3.91 - 2, abs=1e-10)
    assert EXACT + 0.01 < logarithmic < BOUND - 0.01 < BOUND < plain
    assert volume(linear(W), 5 * circle()) == pytest.approx(plain, abs=1e-10)  # lengths do not matter


@pytest.mark.usefixtures("float64")
def test_the_bounds_are_equal_where_the_singular_values_are():
    """At 0.7 the logarithm is exact and its tangent is above it; at 1 all are 0."""
    rotated = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 2)))[0]
    assert volume(linear(0.7 * rotated, logarithm=True), circle(7)) == pytest.approx(4 * np.log(0.7), abs=1e-12)
    assert volume(linear(0.7 * rotated), circle(7)) == pytest.approx(2 * (0.49 - 1), abs=1e-12)
    for logarithm in (True, False):
        assert volume(linear(rotated, logarithm=logarithm), circle(7)) == pytest.approx(0, abs=1e-12)


@pytest.mark.usefixtures("float64")
def test_with_an_isometry_and_its_left_inverse_the_loss_is_the_exact_negative_log_density():
    """x on the plane that W0 spans: log p(x) = log N(W0'x; 0, I), with any direction, in both variants."""
    w = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 2)))[0]
    z = np.random.default_rng(1).normal(size=(6, 2))
    for logarithm in (True, False):
        model = InjFlow(encoder=affine(w, sizes=(4,)), decoder=affine(w.T, sizes=(2,)), logarithm=logarithm)
        noise = {"code": np.zeros((6, 0)), "direction": z}
        found = play_phase(model, z @ w.T, noise, "auto_encoder").totals()["auto_encoder"]
        np.testing.assert_allclose(found, -stats.norm.logpdf(z).sum(1).mean(), rtol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "logarithm, encoder, decoder, implicit, prior",
    [
        (True, "batch", "plain", False, "normal"),
        (False, "plain", "spectral", True, "normal"),
        (False, "plain", "plain", False, "mixture"),
    ],
)
def test_one_step_moves_all_that_learns_down_the_loss(logarithm, encoder, decoder, implicit, prior):
    shapes = [(3,), (2,)] if implicit else [(3,)]
    networks = {"encoder": network(encoder, shapes, (2,)), "decoder": network(decoder, [(2,)], (3,), seed=10)}
    prior = LearnedMixture(2, 3) if prior == "mixture" else prior
    model = InjFlow(**networks, logarithm=logarithm, reconstruction_weight=1.5, prior=prior)
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 3)))

    def retyped(phase, noise):
        u = noise["direction"] / tf.norm(noise["direction"], axis=1, keepdims=True)

        def loss():
            z = model.encoder([x, noise["code"]] if implicit else x, training=True)
            with tf.GradientTape() as tape:
                tape.watch(z)
                rec = model.decoder(z, training=True)
            squares = tf.reduce_sum(tf.linalg.matvec(tape.batch_jacobian(rec, z), u) ** 2, 1)
            volume = tf.math.log(squares) if logarithm else squares - 1  # times m / 2 = 1
            if prior == "normal":
                log_p = -tf.reduce_sum(z**2, 1) / 2 - np.log(2 * np.pi)
            else:
                log_p = model.prior.log_prob(z)
            return tf.reduce_mean(1.5 * tf.reduce_sum((x - rec) ** 2, 1) - log_p + volume)

        return {"auto_encoder": loss}

    check_one_step(model, x.numpy(), retyped)


@pytest.mark.usefixtures("float64")
def test_the_weight_of_the_reconstruction_has_its_effect_after_loading_too(tmp_path):
    noise = {"code": np.zeros((4, 0)), "direction": signs(2)}
    x = np.random.default_rng(0).normal(size=(4, 4))

    def total(model):
        return play_phase(model, x, noise, "auto_encoder").totals()["auto_encoder"]

    check_a_weight_comes_back(
        linear(W, reconstruction_weight=0.0), "reconstruction_weight", total, tmp_path / "m.keras"
    )


@pytest.mark.slow
def test_a_mixture_is_fitted_to_the_codes():
    for arguments, prior in (({}, "gmm"), ({"prior": "gmm"}, None)):
        model = create("injflow_ln", **arguments)
        model.fit_prior(images(), prior)
        codes, drawn = model.encode(images()), model.sampling_prior.sample(20_000, 0).numpy()
        np.testing.assert_allclose(drawn.mean(0), codes.mean(0), atol=0.05)
        assert model.sample(3).shape == (3, 8, 8, 1)


@pytest.mark.slow
def test_a_constant_decoder_has_a_finite_loss_and_finite_weights():
    decoder = network("plain", [(2,)], (8, 8, 1))
    decoder.layers[-3].kernel.assign(1e5 * decoder.layers[-3].kernel)  # a saturated sigmoid: J is 0
    for name in ("injflow", "injflow_ln"):
        model = create(name, decoder=decoder)
        model.compile(run_eagerly=True)
        found = model.fit(images(), verbose=0).history
        assert np.isfinite([values for values in found.values()]).all()
        assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_decoder_that_no_derivative_flows_forward_through_is_refused_at_the_first_step():
    model = create("injflow", decoder=bilinear())
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="bilinear UpSampling2D is known for it"):
        model.fit(images(), verbose=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"logarithm": 1}, "`logarithm` must be True or False. Received: logarithm=1"),
        ({"reconstruction_weight": -1.0}, "`reconstruction_weight` must be a finite number >= 0"),
        ({"reconstruction_weight": None}, "`reconstruction_weight` must be a finite number >= 0"),
        ({"prior": Uniform(2)}, r"`prior` must have an exact density on all of R.*Received: Uniform, \(-1, 1\)"),
        ({"prior": "sphere"}, "`prior` must have an exact density on all of R.*Received: Sphere, the set 'sphere'"),
    ],
    ids=range(5),
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("injflow", **arguments)

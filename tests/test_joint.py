"""sVAE, ALI, BiGAN and ALICE against their papers: losses, golden gradients, identities, a target recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import (  # noqa: F401
    affine,
    check_a_weight_comes_back,
    check_samples,
    float64,
    gaussian_data,
    inject,
    network,
    play_phase,
    quadratic,
    signs,
    slopes,
    train_on_gaussian,
)

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.game import Batch
from keras_ijae.models import ALI, GAN, SVAE

mean, log, sigmoid, softplus = tf.reduce_mean, tf.math.log, tf.sigmoid, tf.math.softplus
X, Z = (3,), (2,)
UNITS = {"diagonal": 4}
NORMS = {"l1": tf.abs, "squared": tf.square}
JUDGES = ("joint_discriminator", "cycle_discriminator")


def joint(cls, encoder, decoder, joint_discriminator, **arguments):
    return cls(encoder=encoder, decoder=decoder, joint_discriminator=joint_discriminator, **arguments)


def small(cls, posterior, likelihood, kinds=("plain", "plain"), cycle="l1", weight=None, **arguments):
    players, judges = kinds
    encoder = network(players, [X, Z] if posterior == "implicit" else [X], (UNITS.get(posterior, 2),))
    decoder = network(players, [Z, Z] if likelihood == "implicit" else [Z], X, seed=10)
    if cycle == "adversarial":
        arguments["cycle_discriminator"] = network(judges, [X, X], (1,), seed=30)
    made = network(judges, [X, Z], (1,), seed=20)
    about = {"posterior": posterior, "likelihood": likelihood, "cycle": cycle, "cycle_weight": weight, "ema": None}
    return joint(cls, encoder, decoder, made, **about, **arguments)


def drawn_noise(model, rows):
    return model.noise(random.Draws(random.fold(3), rows, dtype=keras.config.floatx()))


def data(rows=5):
    return np.random.default_rng(0).normal(size=(rows, *X))


# The losses, typed from the papers --------------------------------------------------------------------------------


class Retyped:
    """Chen et al. 2018 and Dumoulin et al. 2017 in probabilities, with f = P(pair of the prior)."""

    def __init__(self, model, x, weight):
        self.model, self.x, self.weight = model, tf.constant(x), weight

    def q(self, x):
        """Mean and scale of a diagonal posterior."""
        outputs = self.model.encoder(x, training=True)
        return outputs[:, :2], 1e-5 + softplus(outputs[:, 2:] + np.log(np.expm1(1 - 1e-5)))

    def h(self, x, xi):
        if self.model.posterior_kind == "diagonal":
            mu, scale = self.q(x)
            return mu + scale * xi
        return self.model.encoder([x, xi] if self.model.posterior_kind == "implicit" else x, training=True)

    def sigma(self):
        return 1e-5 + tf.exp(self.model.likelihood.trainable_variables[0])

    def g(self, z, xi):
        outputs = self.model.decoder([z, xi] if self.model.likelihood == "implicit" else z, training=True)
        if isinstance(self.model.likelihood, str):
            return outputs
        if type(self.model.likelihood).__name__ == "Laplace":
            return outputs + tf.where(xi < 0.5, log(2 * xi), -log(2 - 2 * xi))
        return outputs + self.sigma() * tf.math.ndtri(xi)

    def f(self, x, z):
        return self.model.joint_discriminator([x, z], training=True)

    def eta(self, x, y):
        return self.model.cycle_discriminator([x, y], training=True)

    def judges(self, noise):
        z, z_q = noise["z"], self.h(self.x, noise["code"])
        x_p, again = self.g(z, noise["observation"]), self.g(z_q, noise["observation_cycle"])
        found = {
            "joint_discriminator": lambda: (
                -mean(log(sigmoid(self.f(x_p, z)))) - mean(log(1 - sigmoid(self.f(self.x, z_q))))
            )
        }
        if self.model.cycle == "adversarial":
            found["cycle_discriminator"] = lambda: (
                -mean(log(sigmoid(self.eta(self.x, self.x)))) - mean(log(1 - sigmoid(self.eta(self.x, again))))
            )
        return found

    def players(self, noise):
        def loss():
            z, z_q = noise["z"], self.h(self.x, noise["code"])
            x_p = self.g(z, noise["observation"])
            f_q, f_p = self.f(self.x, z_q), self.f(x_p, z)
            if isinstance(self.model, SVAE):
                adversarial = -mean(f_q) + mean(f_p)
            else:
                adversarial = -mean(log(sigmoid(f_q))) - mean(log(1 - sigmoid(f_p)))
            return adversarial if self.weight is None else adversarial + self.weight * self.cycle(noise, z, z_q, x_p)

        return {"encoder": loss, "decoder": loss}

    def cycle(self, noise, z, z_q, x_p):
        again = self.g(z_q, noise["observation_cycle"])
        if self.model.cycle == "adversarial":
            return -mean(log(sigmoid(self.eta(self.x, again))))
        if self.model.cycle == "likelihood":
            (mu, scale), rec = self.q(x_p), self.model.decoder(z_q, training=True)
            gaussian = lambda x, m, s: tf.reduce_sum((x - m) ** 2 / (2 * s**2) + log(2 * np.pi * s**2) / 2, 1)  # noqa: E731
            return mean(gaussian(self.x, rec, self.sigma())) + mean(gaussian(z, mu, scale))
        norm = NORMS[self.model.cycle]
        return mean(norm(self.x - again)) + mean(norm(z - self.h(x_p, noise["code_cycle"])))

    def __call__(self, phase, noise):
        judges = self.judges(noise) if phase != "players" else {}
        return judges | (self.players(noise) if phase != "discriminators" else {})


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "cls, posterior, likelihood, kinds, cycle, weight, steps",
    [
        (SVAE, "implicit", "implicit", ("batch", "spectral"), "l1", None, (1, 1)),
        (SVAE, "deterministic", "implicit", ("plain", "batch"), "l1", 2.0, (2, 1)),
        (SVAE, "diagonal", "learned_gaussian", ("plain", "spectral"), "likelihood", 0.7, (1, 1)),
        (ALI, "diagonal", "deterministic", ("batch", "batch"), "squared", None, (1, 1)),
        (ALI, "deterministic", "deterministic", ("plain", "spectral"), "squared", 3.0, (1, 1)),
        (ALI, "implicit", "laplace", ("plain", "plain"), "l1", 2.0, (1, 2)),
        (ALI, "diagonal", "deterministic", ("plain", "plain"), "adversarial", 0.1, (1, 1)),
        (SVAE, "implicit", "implicit", ("plain", "plain"), "adversarial", 0.5, (2, 2)),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(
    cls, posterior, likelihood, kinds, cycle, weight, steps
):
    about = {"discriminator_steps": steps[0], "player_steps": steps[1]}
    model, x = small(cls, posterior, likelihood, kinds, cycle, weight, **about), data()
    turns, logs = check_one_step(model, x, Retyped(model, x, weight))
    at_once = ["discriminators"] * steps[0] + ["players"] * steps[1]
    assert [turn.phase for turn in turns] == (["all"] if cls is ALI and steps == (1, 1) else at_once)
    passes = steps[0] + (steps[1] if steps[1] > 1 else 0)  # a single step of the players reuses the last pass
    assert len({turn.noise["z"].numpy().tobytes() for turn in turns}) == passes
    assert {"encoder_loss", "joint_discriminator_accuracy", "symmetric_kl_estimate_sum"} <= set(logs)
    assert ("observation_cycle" in logs) == (weight is not None)


@pytest.mark.parametrize("weight, passes", [(None, 1), (2.0, 2)])
def test_the_discriminator_does_not_wait_for_cycles_that_only_the_players_see(weight, passes, monkeypatch):
    model, calls = small(SVAE, "implicit", "implicit", weight=weight), {"encoder": 0, "decoder": 0}
    for name in calls:
        part = getattr(model, name)

        def counted(*arguments, name=name, call=part.call, **more):
            calls[name] += 1
            return call(*arguments, **more)

        monkeypatch.setattr(part, "call", counted)
    model.compile(run_eagerly=True)
    model.train_step(tf.constant(data(), tf.float32))
    assert calls == {"encoder": passes, "decoder": passes}


# Golden values: q: x ~ N(0, 1.5), z|x ~ N(.6 x, .3); p: z ~ N(0, 1), x|z ~ N(.9 z, .4) ------------------------------

K, K_0 = np.array([[0.63333333333, -0.25], [-0.25, -0.30833333333]]), 0.058891518


def analytic(cls, scale=1.0, nodes=None, **arguments):
    """The two linear joints with the optimal f, times `scale`; nodes: x, e, z, e'."""
    f = quadratic(-scale * K, c=scale * K_0, sizes=(1, 1))
    encoder = affine([[0.6], [np.sqrt(0.3)]], sizes=(1, 1))
    decoder = affine([[0.9], [np.sqrt(0.4)]], sizes=(1, 1))
    about = {"posterior": "implicit", "likelihood": "implicit", "ema": None}
    model = joint(cls, encoder, decoder, f, **about, **arguments)
    nodes = signs(4) if nodes is None else nodes
    x, e, z, e_ = (nodes[:, [column]] for column in range(4))
    inject(model, code=e, z=z, observation=e_, code_cycle=e, observation_cycle=e_)
    return model, np.sqrt(1.5) * x


@pytest.mark.usefixtures("float64")
def test_at_the_optimal_f_the_players_have_half_of_the_gradient_of_the_symmetric_divergence():
    """KL_s = .1165; d/da KL(q||p) = -.6525, d/dc KL(p||q) = -.32, where all of KL_s has -1.2325 and -.68."""
    model, x = analytic(SVAE)
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    np.testing.assert_allclose([encoder[0, 0], decoder[0, 0]], [-0.6525, -0.32], atol=1e-8)
    np.testing.assert_allclose(both_losses(*analytic(SVAE))[1], 0.1165, atol=1e-8)


def both_losses(model, x):
    """L_f, and the players' loss."""
    x, noise = tf.convert_to_tensor(x), model.noise(None)
    forward, found = model.forward(Batch(x), noise, "discriminators"), {}
    for phase in ("discriminators", "players"):
        found |= model.losses(Batch(x), noise, phase, forward).losses
    return found["joint_discriminator"], found["encoder"]


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
def test_at_the_optimal_f_ali_has_the_value_of_its_minimax_game():
    """L_f = log 4 - 2 JSD = 1.35841769 and L_ALI = 1.47491769, by Gauss-Hermite quadrature."""
    points, mass = np.polynomial.hermite_e.hermegauss(20)
    mass, (model, _) = mass / mass.sum(), analytic(ALI)

    @tf.function
    def at(e, e_):
        model.noise = lambda draws: dict.fromkeys(("z", "code_cycle"), e) | dict.fromkeys(("code", "observation"), e_)
        return both_losses(model, np.sqrt(1.5) * e)

    found = sum(
        v * w * np.array(at(tf.constant([[e]]), tf.constant([[e_]])))
        for e, v in zip(points, mass, strict=True)
        for e_, w in zip(points, mass, strict=True)
    )
    np.testing.assert_allclose(found, [1.35841769, 1.47491769], atol=1e-7)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("posterior, likelihood", [("implicit", "implicit"), ("diagonal", "deterministic")])
def test_alis_loss_less_that_of_f_is_svaes_loss_for_every_f(posterior, likelihood):
    ali, svae = (small(cls, posterior, likelihood) for cls in (ALI, SVAE))
    x, noise = data(), drawn_noise(ali, 5)
    for model in (ali, svae):
        model.set_weights(ali.get_weights())
        inject(model, **noise)
    (l_f, l_ali), (same, l_svae) = both_losses(ali, x), both_losses(svae, x)
    assert l_f == same
    np.testing.assert_allclose(l_ali - l_f, l_svae, rtol=0, atol=1e-12)
    assert abs(l_svae) > 1e-2


@pytest.mark.usefixtures("float64")
def test_near_the_equilibrium_ali_has_half_of_svaes_gradient():
    """log sigma(e f) = -log 2 + e f / 2 + ..."""
    found = [slopes(*analytic(cls, scale=1e-6), "encoder", "decoder") for cls in (ALI, SVAE)]
    for ali, svae in zip(*found, strict=True):
        np.testing.assert_allclose(ali / svae, 0.5, rtol=1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cls, at_rest", [(SVAE, 0.0), (ALI, np.log(4))])
def test_the_adversarial_terms_are_blind_to_codes_that_say_nothing_and_the_cycle_terms_are_not(cls, at_rest):
    """z_q and x_p are noise alone: both joints are N(0, I), f = 0 is optimal, and E (x - x')^2 = 2 Var x."""
    blind = affine([[0.0], [1.0]], sizes=(1, 1)), affine([[0.0], [1.0]], sizes=(1, 1))
    f = affine([[0.0], [0.0]], [0.0], sizes=(1, 1))
    about = {"posterior": "implicit", "likelihood": "implicit", "cycle": "squared", "cycle_weight": 1.0, "ema": None}
    model, nodes = joint(cls, *blind, f, **about), signs(6)
    names = ("code", "z", "observation", "code_cycle", "observation_cycle")
    inject(model, **{name: nodes[:, [column]] for column, name in enumerate(names, 1)})
    x = nodes[:, :1]
    l_f, players = both_losses(model, x)
    np.testing.assert_allclose(l_f, np.log(4), atol=1e-12)
    np.testing.assert_allclose(players, at_rest + 2 + 2, atol=1e-12)
    assert not any(slope.any() for slope in slopes(model, x, "joint_discriminator"))
    model.cycle_weight.assign(0.0)
    assert not any(slope.any() for slope in slopes(model, x, "encoder", "decoder"))
    model.cycle_weight.assign(1.0)  # read at run time
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    assert encoder.any() and decoder.any()


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
def test_an_svae_whose_f_does_not_look_at_codes_is_a_gan():
    """f(x, z) = -D(x): the log-ratio objective, step for step."""
    x, z = keras.Input((2,)), keras.Input((2,))
    judge = network("plain", [(2,)], (1,), seed=5)
    nothing = keras.layers.Rescaling(0.0)(keras.ops.sum(z, axis=1, keepdims=True))
    blind = keras.Model([x, z], nothing - judge(x))
    svae = joint(
        SVAE,
        network("plain", [(2,)], (2,)),
        network("plain", [(2,)], (2,), seed=3),
        blind,
        posterior="deterministic",
        likelihood="deterministic",
    )
    made = {"decoder": network("plain", [(2,)], (2,), seed=3), "discriminator": network("plain", [(2,)], (1,), seed=5)}
    gan = GAN(**made, objective="log_ratio")
    noise = {"z": np.random.default_rng(1).normal(size=(4, 2))}
    no_noise = dict.fromkeys(("code", "observation", "code_cycle", "observation_cycle"), np.zeros((4, 0)))
    inject(svae, **noise, **no_noise), inject(gan, **noise)
    svae.compile({move.name: keras.optimizers.Adam(0.05) for move in svae.moves})
    gan.compile({move.name: keras.optimizers.Adam(0.05) for move in gan.moves})
    data = np.random.default_rng(0).normal(size=(4, 2))
    start = [weight.numpy() for weight in gan.decoder.weights]
    for _ in range(4):
        ours, theirs = svae.train_step(tf.constant(data)), gan.train_step(tf.constant(data))
        np.testing.assert_allclose(ours["joint_discriminator_loss"], theirs["discriminator_loss"], rtol=1e-12)
    for mine, other in ((svae.decoder, gan.decoder), (judge, gan.discriminator)):
        for left, right in zip(mine.weights, other.weights, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-13)
    assert not np.allclose(gan.decoder.weights[0], start[0])


# What fits, and what does not ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "posterior, likelihood, arguments, message",
    [
        (
            "implicit",
            "implicit",
            {"weight": -1.0},
            "`cycle_weight` must be a finite number >= 0. Received: cycle_weight=-1.0",
        ),
        ("implicit", "implicit", {"weight": float("nan")}, "`cycle_weight` must be .* Received: cycle_weight=nan"),
        ("implicit", "implicit", {"cycle": "l2"}, "`cycle` must be one of 'l1', 'squared', .*Received: cycle='l2'"),
        ("implicit", "implicit", {"cycle": "likelihood", "weight": 1.0}, "needs densities q.*'implicit'.*'implicit'"),
        ("diagonal", "implicit", {"cycle": "likelihood", "weight": 1.0}, "needs densities q.*'diagonal'|Diag"),
        ("deterministic", "bernoulli", {}, "`likelihood` must be .* have a density. Received: 'bernoulli'"),
        ("deterministic", "cyclic_shift", {}, "`likelihood` must be|needs images|images"),
        ("diagonl", "implicit", {}, "`posterior` must be one of .*Received: posterior='diagonl'"),
        (
            "implicit",
            "implicit",
            {"player_steps": 0},
            "`player_steps` must be an integer >= 1. Received: player_steps=0",
        ),
    ],
)
def test_bad_arguments_are_refused_by_name(posterior, likelihood, arguments, message):
    with pytest.raises(ValueError, match=message):
        small(SVAE, posterior, likelihood, **arguments)


@pytest.mark.parametrize("posterior, likelihood", [("deterministic", "implicit"), ("implicit", "gaussian")])
def test_networks_that_do_not_fit_their_conditional_are_named(posterior, likelihood):
    encoder, decoder = network("plain", [X, Z], (2,)), network("plain", [Z, Z], X)
    role = "encoder" if posterior == "deterministic" else "decoder"
    with pytest.raises(ValueError, match=f"does not fit the {role}, which takes noise .*='implicit'"):
        joint(SVAE, encoder, decoder, network("plain", [X, Z], (1,)), posterior=posterior, likelihood=likelihood)


def test_the_adversarial_cycle_and_no_other_has_a_discriminator():
    with pytest.raises(ValueError, match="`cycle`='l1' takes no `cycle_discriminator`"):
        small(SVAE, "implicit", "implicit", weight=1.0, cycle_discriminator=network("plain", [X, X], (1,)))
    parts = network("plain", [X], (4,)), network("plain", [Z], X), network("plain", [X, Z], (1,))
    with pytest.raises(ValueError, match="`cycle`='adversarial' needs a `cycle_discriminator`"):
        joint(ALI, *parts, cycle="adversarial", cycle_weight=0.1)


@pytest.mark.parametrize("cls, cycle", [(SVAE, "l1"), (ALI, "adversarial"), (SVAE, "likelihood")])
def test_a_cycle_that_begins_at_nothing_or_is_weighted_down_to_it_comes_back(cls, cycle, tmp_path):
    model = small(cls, "diagonal", "gaussian" if cycle == "likelihood" else "deterministic", cycle=cycle, weight=0.0)
    x, noise = data().astype("float32"), drawn_noise(model, 5)
    phase = model.phases[-1].name
    check_a_weight_comes_back(
        model, "cycle_weight", lambda model: play_phase(model, x, noise, phase).losses["encoder"], tmp_path / "m.keras"
    )


def recovered(cls, cycle_weight, **arguments):
    model = joint(
        cls,
        affine(np.concatenate([0.3 * np.eye(2), 0.1 * np.eye(2)]), [0, 0], (2, 2)),
        affine(np.concatenate([0.3 * np.eye(2), 0.1 * np.eye(2)]), [0, 0], (2, 2)),
        network("plain", [(2,), (2,)], (1,), hidden=32),
        posterior="implicit",
        likelihood="implicit",
        cycle_weight=cycle_weight,
        ema=0.99,
        **arguments,
    )
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.12, covariance=0.2)
    return model


@pytest.mark.slow
def test_svae_r_recovers_a_gaussian_and_reconstructs_it_in_1500_steps():
    model = recovered(SVAE, 0.3)
    assert model.reconstruction_error(gaussian_data(500)).mean() < 0.2  # of a variance of 1.8


@pytest.mark.slow
def test_ali_recovers_a_gaussian_in_1500_steps():
    recovered(ALI, None)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("ali", {"prior": "sticks"}),
        ("as_vae", {"prior": "sphere"}),
        ("as_vae", {"posterior": "sticks"}),
        ("svae_r", {"cycle": "likelihood", "posterior": "sticks", "likelihood": "gaussian"}),
    ],
)
def test_codes_of_prior_and_posterior_on_different_sets_are_refused(name, arguments):
    with pytest.raises(ValueError, match="`prior` must have its codes where those of .* are, .* Received: "):
        ki.create(name, (5,), 2, networks="mlp", width=4, **arguments)


def test_a_bounded_prior_is_taken_where_no_density_of_its_codes_is_asked_for():
    assert ki.create("ali", (5,), 2, networks="mlp", width=4, prior="uniform").prior.high == 1

"""The adversarial symmetric VAE: experimental."""

from typing import Any, Unpack

import keras

from keras_ijae import checks
from keras_ijae.game import Common
from keras_ijae.game.roles import DECODER, ENCODER, JOINT_DISCRIMINATOR, POSTERIOR_DISCRIMINATOR, labelled
from keras_ijae.models import conditionals
from keras_ijae.models.joint import JointGame, judge_into
from keras_ijae.models.judging import logits


class ASVAEArguments(Common, total=False):
    """Arguments that it shares with sVAE."""

    encoder: keras.Model
    decoder: keras.Model
    joint_discriminator: keras.Model
    discriminator_steps: int
    player_steps: int


@keras.saving.register_keras_serializable("keras_ijae")
class ASVAE(JointGame):
    """Adversarial symmetric VAE, experimental: sVAE-r whose ratio of joints is the difference of two.

    With data x, z_q ~ q(z|x), z ~ p(z), x_p ~ p(x|z), logits f_1(x, z) and D(x, z), f_2 = -D. Both compare a joint with
    the product of the marginals q(x) p(z), whose pairs are (x, z):

        L_{f_1} = E softplus(-f_1(x_p, z)) + E softplus(f_1(x, z))     1 = decoder: f_1* = log p(x|z) - log q(x)
        L_D     = E softplus(-D(x, z)) + E softplus(D(x, z_q))         1 = prior:   f_2* = log q(z|x) - log p(z)
        L_{G,E} = E (f_1 - f_2)(x_p, z) - E (f_1 - f_2)(x, z_q) - cycle_weight (E log p(x|z_q) + E log q(z|x_p))

    f_1* - f_2* = log p(x, z) - log q(x, z), so the first two terms estimate KL(p || q) + KL(q || p) of the joints. At
    fixed optimal f_1 and f_2 their gradients are those of KL(q || p) for E and of KL(p || q) for G. L_{G,E} is linear
    in the logits: keep them Lipschitz, as the default networks do by spectral normalisation.

    Args:
        encoder: observations -> parameters of the posterior.
        decoder: codes -> parameters of the likelihood.
        joint_discriminator: f_1, [x, z] -> logits (batch, 1).
        posterior_discriminator: D, [x, z] -> logits (batch, 1).
        posterior: "diagonal" or "full", or a `Posterior` with a density of given codes.
        likelihood: a continuous one with a density: "gaussian" (of scale 1), "laplace", "learned_gaussian", ...
        observation: what x_p is: "mean" of p(x|z), or "draw", a sample of it, as the paper's equations have it. Images
            with the noise of a Gaussian in every pixel are told from data by that alone, so "mean" is the default;
            p(x|z) is then in the last term alone.
        cycle_weight: of the log-likelihoods, in nats, at least 0; a run-time scalar; None: there are none. They tie x
            to z at the price of variance: at 0.3 samples of a Gaussian had two thirds of its variance, with None all.
        discriminator_steps: of f_1 and D before the players move, each with fresh noise on the same batch.
        player_steps: of encoder and decoder together; at 1 they reuse the discriminators' last pass.
        joint: the rest is common to all systems, see `Game`.

    References:
        Pu et al. 2017, "Adversarial Symmetric Variational Autoencoder". Only its abstract could be consulted, and no
        code was found: two discriminators against the product of the marginals, and the log-likelihoods at a weight of
        1, are from memory and unverified. So there is no preset "paper". The rest are choices of this library:
        running averages of E and G (`ema`), spectral normalisation of the default discriminators, `observation`,
        rates, networks.
    """

    ROLES = labelled(ENCODER, DECODER, JOINT_DISCRIMINATOR, POSTERIOR_DISCRIMINATOR)

    def __init__(
        self,
        *,
        posterior_discriminator: keras.Model,
        posterior: Any = "diagonal",
        likelihood: Any = "gaussian",
        observation: str = "mean",
        cycle_weight: float | None = 1.0,
        **joint: Unpack[ASVAEArguments],
    ):
        for name, kind in {"posterior": posterior, "likelihood": likelihood}.items():
            if kind in conditionals.WITHOUT_DENSITY:
                raise ValueError(f"Argument `{name}` must have a density. Received: {name}={kind!r}")
        further = {
            "posterior_discriminator": posterior_discriminator,
            "observation": checks.choice("observation", observation, ("mean", "draw")),
        }
        explicit = {"posterior": posterior, "likelihood": likelihood}
        super().__init__(**explicit, cycle="likelihood", cycle_weight=cycle_weight, further=further, **joint)
        if observation == "mean" and cycle_weight is None and self.likelihood.trainable_variables:
            raise ValueError(
                "Argument `likelihood` has a scale to learn, on which nothing depends with observation='mean' and "
                f"cycle_weight=None: pass observation='draw' or a `cycle_weight`. Received: {likelihood!r}"
            )

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in self.moves}

    def gain(self, logit):
        return logit

    def judge(self, played, batch, noise, phase, forward):
        x, labels = batch
        decoders, encoders = [forward["x_p"], noise["z"], labels], [x, forward["z_q"], labels]
        if phase == "players":
            of_joint = logits(self.joint_discriminator, decoders, encoders)
            of_posterior = logits(self.posterior_discriminator, decoders, encoders)
            return tuple(f_1 + d for f_1, d in zip(of_joint, of_posterior, strict=True))
        product = [x, noise["z"], labels]
        judge_into(played, "joint_discriminator", *logits(self.joint_discriminator, decoders, product))
        judge_into(played, "posterior_discriminator", *logits(self.posterior_discriminator, product, encoders))
        return None, None

    def _drawn(self, outputs, noise):
        if self.observation == "mean":
            return self.observation_model.mean(outputs)
        return super()._drawn(outputs, noise)

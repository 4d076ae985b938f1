"""The variational auto-encoder."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.game import Common, FixedPrior, Game, Move, Phase, Played, Preset
from keras_ijae.game.roles import DECODER, ENCODER, labelled
from keras_ijae.models.bounds import Bounds, check_densities, kl_weight, learned, prior_noise
from keras_ijae.networks import Networks
from keras_ijae.replicas import gathered

NETWORKS = Networks(family="mlp", width=500, depth=1, norm="none", hidden_activation="tanh")


def _authors(model):
    return {"auto_encoder": keras.optimizers.Adagrad(0.01)}


def _defaults(model):
    return model.default_optimizers()


class OwnPriorArguments(FixedPrior, total=False):
    """Arguments of the systems built on `Variational` that have a prior of their own."""

    encoder: keras.Model
    decoder: keras.Model
    posterior: Any
    likelihood: Any


class VariationalArguments(OwnPriorArguments, Common, total=False):
    """Arguments of the other systems built on it."""


class Variational(Bounds, Game):
    """Base of the systems whose loss has log p(x|z) and KL(q(z|x) || p(z)) in it.

    Args:
        judges: role -> network of those that are neither encoder nor decoder.
        encoder, decoder, posterior, likelihood: as of `VAE`.
        common: see `Game`.
    """

    def __init__(
        self,
        judges: dict[str, keras.Model] | None = None,
        /,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        posterior: Any = "diagonal",
        likelihood: Any = "bernoulli",
        **common: Unpack[Common],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder, **(judges or {})}, **common)
        self.posterior_family = self.posterior_kind = posteriors.get(posterior, self.latent_dim)
        check_densities(self.posterior_family, self.prior)
        self.likelihood = self.observation_model = likelihoods.get(likelihood, self.data_shape)
        if not self.likelihood.has_log_prob:
            raise ValueError(f"Argument `likelihood` must have a density. Received: {likelihood!r}")

    def noise(self, draws):
        return {"code": draws.normal("code", self.code_noise_dim), **prior_noise(self.prior, draws)}


@keras.saving.register_keras_serializable("keras_ijae")
class VAE(Variational):
    """Variational auto-encoder; with beta other than 1, beta-VAE.

        L = E_x [ -E_{q(z|x)} log p(x|z) + beta KL(q(z|x) || p(z)) ]

    log p(x|z) is in nats, summed over dimensions; one reparametrised code z per example. The KL of Gaussian posteriors
    to N(0, I) is in closed form; else it is log q(z|x) - log p(z) at that code. What p(z) and q(z|x) have to learn (a
    mixture, a flow's weights) is moved with the networks.

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape): logits for "bernoulli", else means.
        posterior: "diagonal", "full", "planar" or "iaf" (flows), "sticks" (with the prior "sticks"), or a `Posterior`.
        likelihood: "bernoulli", "gaussian", "laplace", "discretized_logistic" or a `Likelihood` with a density.
        beta: weight of the KL, at least 0; a run-time scalar.
        warm_up_steps: steps over which beta grows linearly from 0; 0: it does not.
        free_bits: nats of the KL that cost nothing: max(free_bits, E_x KL) is in the place of E_x KL, the mean over the
            batch, so that a KL below it is not pushed to 0, nor does a learned prior then learn; a run-time scalar, at
            least 0. None: there is no such term.
        variational: the rest is common to all systems, see `Game`. The prior is any with a density wherever codes are:
            "normal", "mixture", "realnvp", "maf" or "vamp" (learned), ...

    References:
        Kingma & Welling 2014, eqs. 3 and 10; Higgins et al. 2017, eq. 4 (beta); Kingma et al. 2016, eq. 15 (free_bits),
        where dimensions are in groups: here all are in one, for which alone every posterior and prior has a KL. As
        "gmm_vae" the prior is a learned mixture, as "flow_vae" the RealNVP of Dinh et al. 2017, as "vamp_vae" the
        VampPrior of Tomczak & Welling 2018. As "nf_vae" the posterior is the planar flow of Rezende & Mohamed 2015.
        "two_stage_vae" is that of Dai & Wipf 2019: a Gaussian of one learned variance, and after training a second
        VAE on the codes (`ki.distributions.TwoStage`); until `fit_prior(data)` is called, samples are of N(0, I). As
        "stick_vae" codes are the weights of Nalisnick & Smyth 2017, as "resampled_vae" the prior is that of Bauer &
        Mnih 2019.

        preset="paper" of "vae" is Kingma & Welling's for MNIST: one hidden layer of 500 tanh units in E and in G, and
        Adagrad at 0.01, the first of the three rates from which they chose (0.01, 0.02, 0.1). Theirs are batches of
        100. Not in it: their small decay of the weights, which begin at N(0, 0.01). The defaults differ from the paper:
        Adam(1e-3) and the networks of the other systems. Other names have their own papers' settings.

        preset="paper" of "vamp_vae" is its code's for binarised MNIST: K = 500, two layers of 300 gated units,
        Adam(5e-4), warm-up over 100 epochs of 50,000 images in batches of 100. Theirs are codes of 40. Not in it:
        gradients divided by their norm, bounds of the log variance, -6 to 2, the start of the pseudo-inputs, and early
        stopping after 50 epochs.

        preset="paper" of "two_stage_vae" is its code's for MNIST on networks of ours with batch normalisation:
        Adam(1e-4), halved after 150 and 300 epochs of 937 steps (batches of 64), and a second stage of 3 x 1,024 units
        and 800 passes, hours on a CPU, whose rate falls along a cosine where theirs is halved every 300. Theirs are
        codes of 64 and 400 epochs. Not in it: their channels and spectral normalisation.

        preset="paper" of "stick_vae" is its code's for MNIST: one layer of 500 ReLU units, kernels that begin at
        N(0, 0.01^2), Adam(3e-4, 0.95). Theirs are batches of 100 and 50 weights.

        preset="iaf" of "flow_vae" has the posterior "iaf" under N(0, I), as Kingma et al. 2016 have it in each of many
        layers of codes, on networks of ours: ELU units and Adamax(0.002) as in their code for CIFAR-10, averages of
        0.999, and 0.25 nats free for each dimension of the code (for each feature map there, and less in other runs of
        theirs). Not in it: those layers, residual networks, weight normalisation, and their likelihood, the discretized
        logistic, which can be asked for.

        "beta_vae", "gmm_vae", "nf_vae", "resampled_vae" and, with its RealNVP, "flow_vae" have no preset "paper": what
        networks and rates their papers have is not known here.

        preset="resnet" of all these names has the residual networks of the VAE to which lambda-IJAE (Alanov et al.
        2019) is compared. That text says no more of it: blocks, channels, normalisation, likelihood and rates are this
        library's own.
    """

    ROLES = labelled(ENCODER, DECODER)
    PRESETS = {"paper": Preset(_authors, NETWORKS), "resnet": Preset(_defaults, Networks(family="resnet"))}

    def __init__(
        self,
        *,
        beta: float = 1.0,
        warm_up_steps: int = 0,
        free_bits: float | None = None,
        **variational: Unpack[VariationalArguments],
    ):
        super().__init__(**variational)
        self.beta = self.weight("beta", beta)
        self.warm_up_steps = checks.whole("warm_up_steps", warm_up_steps, 0)
        self.free_bits = self.weight("free_bits", free_bits, optional=True)
        parts = learned(self, "likelihood", "posterior_family", "prior")
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *parts)),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def losses(self, batch, noise, phase, forward):
        log_likelihood, kl = self.bound_terms(batch, noise, training=True)
        weight = kl_weight(self, kl.dtype)
        terms = self.named_terms(tf.reduce_mean(log_likelihood), tf.reduce_mean(kl))
        loss = weight * self._counted(kl) - tf.reduce_mean(log_likelihood)
        return Played({"auto_encoder": loss}, {**terms, "beta": weight})

    def _counted(self, kl):
        """The mean KL, as far as it costs something."""
        if self.free_bits is None:
            return tf.reduce_mean(kl)
        return tf.maximum(tf.reduce_mean(gathered(kl)), tf.cast(tf.convert_to_tensor(self.free_bits), kl.dtype))

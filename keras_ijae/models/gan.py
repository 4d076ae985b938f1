"""The generative adversarial network."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import Common, Move, Phase, Played, Preset, networks
from keras_ijae.game.roles import DECODER, DISCRIMINATOR, labelled
from keras_ijae.models.generator import GeneratorGame
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks

DCGAN = Networks(
    family="dcgan",
    width=128,
    norm="batch",
    discriminator_norm="batch",
    spectral=False,
    kernel_size=5,
    kernel_stddev=0.02,
)


def _dcgan(model):
    return {move.name: keras.optimizers.Adam(2e-4, beta_1=0.5) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class GAN(GeneratorGame):
    """Generative adversarial network: k discriminator steps, then one step of the generator (`decoder`).

    With logits D(.), z ~ p(z) and x_f = G(z), D and G given the label too where there are `classes`:

        L_D = E softplus(-D(x)) + E softplus(D(x_f))
        L_G = -E softplus(D(x_f))     objective="minimax"
            =  E softplus(-D(x_f))    objective="non_saturating"
            = -E D(x_f)               objective="log_ratio"

    or both as TF-GAN has them: objective="tfgan:least_squares", "tfgan:wasserstein_hinge", ...

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        discriminator: D, observations -> logits (batch, 1), 1 = data.
        objective: what the generator lowers, see `ki.losses.generator_loss`.
        discriminator_steps: k, each with fresh noise.
        fresh_batches: whether each of the k steps has data of its own, as in the paper: a batch is then cut into k,
            so give batches k times as large. By default all k share the batch.
        common: see `Game`.

    References:
        Goodfellow et al. 2014, algorithm 1; Mohamed & Lakshminarayanan 2016 (log ratio). preset="paper" is DCGAN's
        (Radford, Metz & Chintala 2016) for images of 64 x 64, on networks of ours: strided convolutions (with
        networks="auto" also where the default would be another family), 128 channels in the largest map and twice as
        many in each smaller one, kernels of 5 x 5 that begin at N(0, 0.02^2), batch normalisation but in the first
        layer of D and the last of G, ReLU in G, leaky ReLU (0.2) in D, codes uniform in (-1, 1), Adam(2e-4, 0.5).
        Theirs are codes of 100 dimensions and batches of 128. Not in it: a D without a dense hidden layer (ours has
        one; depth=0 for the role leaves it out), G's first feature map normalised and rectified (ours is neither, and
        goes through SiLU), images in [-1, 1] from tanh (ours are in [0, 1] from a sigmoid, the same up to scales), the
        authors' decay of the weights (1e-5 of their squares, for faces). Vectors, and images below 8 x 8, have no
        convolutions: pass networks="mlp". The defaults differ from the papers: a running average of G (`ema`), spectral
        normalisation of D in the default networks, Adam(1e-3, 0.5, 0.9).
    """

    ROLES = labelled(DECODER, DISCRIMINATOR)
    PRESETS = {"paper": Preset(_dcgan, DCGAN, {"prior": "uniform"})}

    def __init__(
        self,
        *,
        decoder: keras.Model,
        discriminator: keras.Model,
        objective: str = "non_saturating",
        discriminator_steps: int = 1,
        fresh_batches: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__({"decoder": decoder, "discriminator": discriminator}, **common)
        self.objective = losses.check_objective(objective)
        self.discriminator_steps = k = checks.repeats("discriminator_steps", discriminator_steps)
        self.fresh_batches = checks.flag("fresh_batches", fresh_batches)
        self.moves = (Move("discriminator", ("discriminator",)), Move("decoder", ("decoder",)))
        slices = k if fresh_batches else 1
        self.phases = (
            Phase("discriminator", ("discriminator",), repeats=k, slices=slices),
            Phase("decoder", ("decoder",), slices=slices, reuse=k == 1),
        )
        self.ready()

    def default_optimizers(self):
        return {move: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in ("discriminator", "decoder")}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            (fake,) = logits(self.discriminator, [forward["fake"], batch.labels])
            return Played({"decoder": losses.generator_loss(fake, self.objective)})
        fake, labels = tf.stop_gradient(forward["fake"]), batch.labels
        real, fake = logits(self.discriminator, [batch.x, labels], [fake, labels])
        return Played(
            {"discriminator": losses.discriminator_loss(real, fake, self.objective)},
            losses.discriminator_logs("discriminator", real, fake),
        )

    def measures(self, batch, noise):
        fake = self.outputs(noise["z"], labels=batch.labels)
        real, fake = (networks.call(self.discriminator, [x, batch.labels]) for x in (batch.x, fake))
        return {"discriminator_real_logit": real[:, 0], "discriminator_fake_logit": fake[:, 0]}

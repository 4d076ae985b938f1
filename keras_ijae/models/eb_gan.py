"""The energy-based generative adversarial network."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import Common, Move, Phase, Played, Preset, Role, gathered, networks
from keras_ijae.game.roles import DECODER, labelled
from keras_ijae.models.generator import GeneratorGame
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks


def _feature_dim(arguments):
    return checks.size("feature_dim", arguments["feature_dim"])


def _deterministic(arguments):
    return "deterministic"


ENERGY = {"feature_dim": _feature_dim, "outputs": _deterministic, "of_energy": True}
ENERGY_ENCODER = Role("energy_encoder", "encoder", ("x",), "h", **ENERGY)
ENERGY_DECODER = Role("energy_decoder", "decoder", ("h",), "x", **ENERGY)
GRID = {"energy_encoder": {"width": 256, "depth": 1}, "energy_decoder": {"width": 256, "depth": 0}}


def _authors(model):
    return {move.name: keras.optimizers.Adam(1e-3) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class EBGAN(GeneratorGame):
    """Energy-based GAN: the discriminator is an auto-encoder, whose error is low on data and up to a margin elsewhere.

    With x_f = G(z), z ~ p(z), the energy D, and S the features Enc(x_f) of a batch of n:

        D(x) = ||Dec(Enc(x)) - x||                            the Euclidean norm over all dimensions of an example
        L_D  = E D(x) + E [margin - D(x_f)]_+                 of Enc and Dec
        L_G  = E D(x_f) + pulling_away_weight PT(S)           of G
        PT   = sum_{i != j} cos^2(S_i, S_j) / (n (n - 1))

    [.]_+ is of each example. PT, over the global batch, keeps samples from being all alike. G, Enc and Dec are given
    the label too where there are `classes`. Enc and Dec judge: they are neither averaged nor of use for inference, and
    the system has no encoder.

    Args:
        decoder: G, codes -> observations.
        energy_encoder: Enc, observations -> features (batch, feature_dim).
        energy_decoder: Dec, features -> observations.
        feature_dim: size of the features, at least 1.
        margin: the energy from which on samples are not pushed away, above 0; a run-time scalar. It has the unit of the
            data, and should be well above what the error of an auto-encoder comes to (2 to 4 on MNIST), and below the
            energy where Dec gives black, the norm of an image (9.2 on average there).
        pulling_away_weight: of PT, at least 0; a run-time scalar; None: there is no such term (EBGAN in the place of
            EBGAN-PT). It is weighed against energies near the margin.
        common: see `Game`.

    References:
        Zhao, Mathieu & LeCun 2017, eqs. 1, 2 and 14. The paper writes a norm, and
        does not say of which unit its margins are; code by others takes means of squares over pixels, beside which a PT
        of 0.1 is large. preset="paper" is from the paper's grid for MNIST: fully
        connected networks, Dec a single layer, Adam(1e-3), margin 10, pulling_away_weight 0.1. The grid has 2 to 5
        layers of 400 to 3,200 units in G and of 128 to 1,024 in Enc and Dec; which were the best was not found, and the
        preset takes 3 of 800 in G and 3 of 256. Not in it: dropout, which half of the grid has. From memory and
        unverified: margins of 80 for LSUN, 20 for CelebA, 40 and 30 for ImageNet, with convolutions. The defaults
        differ from the paper: a running average of G (`ema`), the networks of the other systems, Adam(1e-3, 0.5), and
        numbers under which MNIST is learned, margin 5 and pulling_away_weight 5: at 10 and 0.1 all samples became one.
    """

    ROLES = labelled(DECODER, ENERGY_ENCODER, ENERGY_DECODER)
    LEAST_ROWS = 2
    PRESETS = {
        "paper": Preset(
            _authors,
            Networks(family="mlp", width=800, depth=2, norm="none", hidden_activation="relu", roles=GRID),
            {"feature_dim": 256, "margin": 10.0, "pulling_away_weight": 0.1},
        )
    }

    def __init__(
        self,
        *,
        decoder: keras.Model,
        energy_encoder: keras.Model,
        energy_decoder: keras.Model,
        feature_dim: int = 64,
        margin: float = 5.0,
        pulling_away_weight: float | None = 5.0,
        **common: Unpack[Common],
    ):
        energy = {"energy_encoder": energy_encoder, "energy_decoder": energy_decoder}
        super().__init__({"decoder": decoder, **energy}, **common)
        self.feature_dim = checks.size("feature_dim", feature_dim)
        checks.number("margin", margin, above=0)
        self.margin = self.scalar("margin", margin)
        self.pulling_away_weight = self.weight("pulling_away_weight", pulling_away_weight, optional=True)
        self.moves = (Move("energy", tuple(energy)), Move("decoder", ("decoder",)))
        self.phases = (Phase("energy", ("energy",)), Phase("decoder", ("decoder",), reuse=True))
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5) for move in self.moves}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            return self._play_decoder(forward["fake"], batch.labels)
        fake, labels = tf.stop_gradient(forward["fake"]), batch.labels
        features = logits(self.energy_encoder, [batch.x, labels], [fake, labels])
        again = logits(self.energy_decoder, *([part, labels] for part in features))
        real, fake = (_norm(x - tf.cast(y, x.dtype)) for x, y in zip((batch.x, fake), again, strict=True))
        margin = tf.cast(tf.convert_to_tensor(self.margin), real.dtype)
        loss = tf.reduce_mean(real) + tf.reduce_mean(tf.nn.relu(margin - fake))
        return Played({"energy": loss}, {"energy_real": tf.reduce_mean(real), "energy_fake": tf.reduce_mean(fake)})

    def _play_decoder(self, fake, labels):
        (features,) = logits(self.energy_encoder, [fake, labels])
        (again,) = logits(self.energy_decoder, [features, labels])
        loss = tf.reduce_mean(_norm(fake - tf.cast(again, fake.dtype)))
        if self.pulling_away_weight is None:
            return Played({"decoder": loss})
        pulling_away = tf.cast(losses.pulling_away(gathered(features)), loss.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.pulling_away_weight), loss.dtype)
        return Played({"decoder": loss + weight * pulling_away}, {"pulling_away": pulling_away})

    def energy(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """D(x) of observations, (batch,), by the weights as they are: low where they look like data."""
        features = networks.call(self.energy_encoder, [x, labels])
        return _norm(x - tf.cast(networks.call(self.energy_decoder, [features, labels]), x.dtype))

    def measures(self, batch, noise):
        fake = self.outputs(noise["z"], labels=batch.labels)
        return {"energy_real": self.energy(*batch), "energy_fake": self.energy(fake, batch.labels)}


def _norm(error):
    """The norm of each example, (batch,); of an error of zero, where it has no slope, 1e-6."""
    return tf.sqrt(tf.maximum(tf.reduce_sum(error**2, list(range(1, error.shape.rank))), 1e-12))

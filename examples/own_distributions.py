"""A prior, a posterior and a likelihood of one's own, saved and exported too: python examples/own_distributions.py"""

import argparse
import math

import keras
import tensorflow as tf

import keras_ijae as ki
from keras_ijae.distributions import Likelihood, Posterior, Prior, StandardNormal


@keras.saving.register_keras_serializable("own")
class LaplacePrior(Prior):  # p(z) = prod exp(-|z| / s) / 2s, the scales s learned
    def __init__(self, latent_dim, **options):
        super().__init__(latent_dim, **options)
        self.log_scale = self.add_weight((latent_dim,), "zeros", autocast=False, name="log_scale")

    def sample(self, n, seed):  # by the inverse distribution function; in float64, so that compiling changes no bit
        u = tf.cast(ki.random.uniform((n, self.latent_dim), seed), "float64") - 0.5
        scale = tf.exp(tf.cast(self.log_scale, "float64"))
        return tf.cast(-scale * tf.sign(u) * tf.math.log1p(-2 * tf.abs(u)), "float32")

    def log_prob(self, z):
        scale = tf.exp(tf.cast(self.log_scale, z.dtype))
        return -tf.reduce_sum(tf.abs(z) / scale + tf.math.log(2 * scale), axis=1)


@keras.saving.register_keras_serializable("own")
class ShearedGaussian(Posterior):  # z = mean + scale * (noise @ (I + A)), A strictly triangular, learned, one for all x
    def __init__(self, latent_dim, **options):
        super().__init__(latent_dim, **options)
        self.units = 2 * latent_dim
        self.shear = self.add_weight((latent_dim, latent_dim), "zeros", autocast=False, name="shear")

    def sample_and_log_prob(self, params, noise):
        mean, log_scale = tf.split(tf.cast(params, noise.dtype), 2, axis=1)
        shear = tf.cast(self.shear, noise.dtype)
        z = mean + tf.exp(log_scale) * (noise + noise @ (shear - tf.linalg.band_part(shear, -1, 0)))
        return z, StandardNormal(self.latent_dim).log_prob(noise) - tf.reduce_sum(log_scale, axis=1)


@keras.saving.register_keras_serializable("own")
class Cauchy(Likelihood):  # heavy tails: p(x | params) = prod 1 / (0.1 pi (1 + ((x - params) / 0.1)^2))
    def log_prob(self, params, x):
        terms = tf.math.log(0.1 * math.pi * (1 + ((x - params) / 0.1) ** 2))
        return -tf.reduce_sum(terms, axis=list(range(1, len(x.shape))))

    def draw(self, params, uniform):
        return params + 0.1 * tf.tan(math.pi * (uniform - 0.5))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=20)
model = ki.create("vae", (8, 8, 1), 8, prior=LaplacePrior(8), posterior=ShearedGaussian(8), likelihood=Cauchy())
model.compile()
model.fit(ki.datasets.load("digits", "train", batch_size=64), epochs=parser.parse_args().epochs, verbose=2)
model.export("runs/examples/own_distributions/served", overwrite=True)
model.save("runs/examples/own_distributions/model.keras")

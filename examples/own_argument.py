"""A system of the library with one argument more: a VAE whose codes are also kept short.

python examples/own_argument.py
"""

import argparse
from pathlib import Path

import keras
import tensorflow as tf

import keras_ijae as ki
from keras_ijae.models import VAE, Played


@keras.saving.register_keras_serializable("own_argument")
class ShortVAE(VAE):
    """L = L_VAE + shortness E ||z||_1, a sum over dimensions."""

    def __init__(self, *, shortness: float = 0.1, **vae):  # without a type: all that VAE takes
        super().__init__(**vae)
        self.shortness = self.weight("shortness", shortness)  # after it, under the argument's own name

    def losses(self, batch, noise, phase, forward):
        played = super().losses(batch, noise, phase, forward)
        code = self.codes(batch.x, noise["code"], batch.labels, training=True)  # those of the bound: the same noise
        size = tf.reduce_mean(tf.reduce_sum(tf.abs(code), axis=1))
        loss = played.losses["auto_encoder"] + tf.convert_to_tensor(self.shortness) * size
        return Played({"auto_encoder": loss}, {**played.logs, "code_l1_sum": size})


ki.register("short_vae", ShortVAE, help="a VAE whose codes are kept short", shortness=0.5)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("runs/examples/own_argument"), help="default: %(default)s")
    options = parser.parse_args()
    model = ki.create("short_vae", data_shape=(8, 8, 1), latent_dim=8, beta=0.5)  # VAE's own arguments are its too
    model.compile()
    model.fit(ki.datasets.load("digits", batch_size=64), epochs=options.epochs, verbose=2)
    options.out.mkdir(parents=True, exist_ok=True)
    model.save(options.out / "model.keras")
    print(f"The model is in {options.out}")

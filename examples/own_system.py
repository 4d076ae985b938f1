"""A system of one's own: an auto-encoder with sparse codes. One class, then it trains, saves and serves like ours.

python examples/own_system.py
cd examples && keras-ijae train sparse_ae --import own_system --dataset digits --out ../runs/sparse
"""

import argparse
from pathlib import Path
from typing import Unpack

import keras
import tensorflow as tf

import keras_ijae as ki
from keras_ijae.game.roles import DECODER, ENCODER
from keras_ijae.models import Common, Game, Move, Phase, Played


@keras.saving.register_keras_serializable("own_system")
class SparseAE(Game):
    """L = E ||x - G(E(x))||^2 + sparsity E ||E(x)||_1, sums over dimensions."""

    ROLES = (ENCODER, DECODER)

    def __init__(self, *, encoder, decoder, sparsity: float = 0.1, **common: Unpack[Common]):
        super().__init__({"encoder": encoder, "decoder": decoder}, **common)
        self.sparsity = self.weight("sparsity", sparsity)  # may be changed while it trains
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def noise(self, draws):
        return {}

    def losses(self, batch, noise, phase, forward):
        x = batch.x
        code = self.encoder(x, training=True)
        rows = tf.cast(tf.shape(x)[0], x.dtype)
        error = tf.reduce_sum((x - self.decoder(code, training=True)) ** 2) / rows
        size = tf.reduce_sum(tf.abs(code)) / rows
        return Played({"auto_encoder": error + tf.convert_to_tensor(self.sparsity) * size}, {"code_l1_sum": size})


ki.register("sparse_ae", SparseAE, help="an auto-encoder with sparse codes")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("runs/examples/own_system"), help="default: %(default)s")
    options = parser.parse_args()
    model = ki.create("sparse_ae", data_shape=(8, 8, 1), latent_dim=8, sparsity=0.5)  # with default networks
    model.compile()
    model.fit(ki.datasets.load("digits", batch_size=64), epochs=options.epochs, verbose=2)
    options.out.mkdir(parents=True, exist_ok=True)
    model.save(options.out / "model.keras")
    print(f"The model is in {options.out}")

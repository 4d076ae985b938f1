"""What the systems share whose players have one forward pass: samples from the prior."""

from keras_ijae.game import Game


class GeneratorGame(Game):
    """Base of systems that play over samples x_f = G(z), z ~ p(z), which `losses` gets as `forward["fake"]`."""

    def noise(self, draws):
        return {"z": draws.rows("z", self.prior.sample)}

    def forward(self, batch, noise, phase):
        return {"fake": self.outputs(noise["z"], labels=batch.labels, training=True)}

"""Systems of pythae, with the default networks of keras_ijae for MNIST, layer by layer, or with their own."""

import torch
from pythae import models, trainers
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseDiscriminator, BaseEncoder
from pythae.models.nn.benchmarks import mnist
from torch import nn

IMAGE, LATENT = (1, 28, 28), 16
SLOPE, GROUPS = 0.2, 8
FLOW = {"n_made_blocks": 4, "n_hidden_in_made": 2, "hidden_size": 64}
COMPONENTS = 64  # of VampPrior


class Encoder(BaseEncoder):
    """Images to codes; with `posterior` also to the logarithm of their variance, else that is 0."""

    def __init__(self, posterior: bool) -> None:
        super().__init__()
        self.posterior = posterior
        last = nn.Linear(128, LATENT * (2 if posterior else 1))
        self.layers = nn.Sequential(*_trunk(32, norm=True), nn.Linear(64 * 7 * 7, 128), nn.LeakyReLU(SLOPE), last)

    def forward(self, x: torch.Tensor) -> ModelOutput:
        found = self.layers(x)
        mean, log_variance = found.chunk(2, 1) if self.posterior else (found, torch.zeros_like(found))
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """Codes to images in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        up = [
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.GroupNorm(GROUPS, 32),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
        ]
        self.layers = nn.Sequential(
            nn.Linear(LATENT, 64 * 7 * 7), nn.SiLU(), nn.Unflatten(1, (64, 7, 7)), *up, nn.Sigmoid()
        )

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z))


class Discriminator(BaseDiscriminator):
    """Probabilities of being real; the output of layer k on demand, as pythae's VAE-GAN asks for it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.depth = nn.ModuleList(layers), len(layers)

    def forward(self, x: torch.Tensor, output_layer_levels: list[int] | None = None) -> ModelOutput:
        found = ModelOutput()
        for level, layer in enumerate(self.layers, 1):
            x = layer(x)
            if level in (output_layer_levels or ()):
                found[f"embedding_layer_{level}"] = x
                return found
        found["embedding"] = x
        return found


class TwoClasses(nn.Module):
    """The logits of pythae's FactorVAE, of which one is 0: a cross-entropy knows their difference alone."""

    def __init__(self) -> None:
        super().__init__()
        self.logit = _code_logit()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        logit = self.logit(z)
        return torch.cat([logit, torch.zeros_like(logit)], 1)


def _trunk(width: int, norm: bool) -> list[nn.Module]:
    """Two strided convolutions, flattened; the second one may be normalised."""
    second = [nn.GroupNorm(GROUPS, 2 * width)] if norm else []
    first = [nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
    return [*first, nn.Conv2d(width, 2 * width, 4, 2, 1), *second, nn.LeakyReLU(SLOPE), nn.Flatten()]


def _code_logit() -> nn.Sequential:
    hidden = [nn.Linear(LATENT, 256), nn.LeakyReLU(SLOPE), nn.Linear(256, 256), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*hidden, nn.Linear(256, 1))


def _of_codes() -> Discriminator:
    return Discriminator(_code_logit(), nn.Sigmoid())


def _of_images() -> Discriminator:
    """Its second layer is its last feature map."""
    trunk = _trunk(24, norm=False)
    head = nn.Sequential(nn.Linear(48 * 7 * 7, 96), nn.LeakyReLU(SLOPE), nn.Linear(96, 1))
    return Discriminator(
        nn.Sequential(*trunk[:2]), nn.Sequential(*trunk[2:4]), nn.Sequential(trunk[4], head, nn.Sigmoid())
    )


def _vae(kind=models.VAE, config=models.VAEConfig, **arguments):
    settings = config(input_dim=IMAGE, latent_dim=LATENT, reconstruction_loss="bce", **arguments)
    return kind(settings, encoder=Encoder(True), decoder=Decoder())


def _ae(kind, config, **arguments):
    settings = config(input_dim=IMAGE, latent_dim=LATENT, **arguments)
    return kind(settings, encoder=Encoder(False), decoder=Decoder())


def _aae():
    settings = models.Adversarial_AE_Config(input_dim=IMAGE, latent_dim=LATENT, deterministic_posterior=True)
    return models.Adversarial_AE(settings, encoder=Encoder(False), decoder=Decoder(), discriminator=_of_codes())


def _vae_gan():
    settings = models.VAEGANConfig(input_dim=IMAGE, latent_dim=LATENT, reconstruction_layer=2)
    return models.VAEGAN(settings, encoder=Encoder(True), decoder=Decoder(), discriminator=_of_images())


def _factor_vae():
    model = _vae(models.FactorVAE, models.FactorVAEConfig)
    model.discriminator = TwoClasses()
    return model


def _vamp():
    model = _vae(models.VAMP, models.VAMPConfig, number_components=COMPONENTS)
    model.pseudo_inputs[0].bias = None  # one image that is added to all pseudo-inputs, which ours have not
    return model


SAME = {
    "vae": _vae,
    "wae_mmd": lambda: _ae(models.WAE_MMD, models.WAE_MMD_Config),
    "rae_l2": lambda: _ae(models.RAE_L2, models.RAE_L2_Config),
    "adversarial_ae": _aae,
    "vae_gan": _vae_gan,
    "factor_vae": _factor_vae,
    "vamp": _vamp,
    "vae_iaf": lambda: _vae(models.VAE_IAF, models.VAE_IAF_Config, **FLOW),
}
"""Systems with the layers and the numbers of parameters of keras_ijae's."""


def _own(kind, config, encoder):
    """A system with all defaults of pythae: dense networks, or those that it has for MNIST."""

    def build(convolutions: bool):
        settings = config(input_dim=IMAGE, latent_dim=LATENT)
        networks = {"encoder": encoder(settings), "decoder": mnist.Decoder_Conv_AE_MNIST(settings)}
        return kind(settings, **(networks if convolutions else {}))

    return build


OWN = {
    "vae": _own(models.VAE, models.VAEConfig, mnist.Encoder_Conv_VAE_MNIST),
    "rae_l2": _own(models.RAE_L2, models.RAE_L2_Config, mnist.Encoder_Conv_AE_MNIST),
    "vamp": _own(models.VAMP, models.VAMPConfig, mnist.Encoder_Conv_VAE_MNIST),
}
"""Systems as pythae has them."""

TRAINERS = {
    "rae_l2": (trainers.CoupledOptimizerTrainer, trainers.CoupledOptimizerTrainerConfig),
    "adversarial_ae": (trainers.AdversarialTrainer, trainers.AdversarialTrainerConfig),
    "factor_vae": (trainers.AdversarialTrainer, trainers.AdversarialTrainerConfig),
    "vae_gan": (trainers.CoupledOptimizerAdversarialTrainer, trainers.CoupledOptimizerAdversarialTrainerConfig),
}
"""Of the systems that have one of their own."""


def trainer_of(system: str, model: nn.Module, data: torch.Tensor, directory: str, **settings):
    """pythae's trainer for a model on images (n, 1, 28, 28), ready for its first step."""
    from pythae.data.datasets import BaseDataset

    kind, config = TRAINERS.get(system, (trainers.BaseTrainer, trainers.BaseTrainerConfig))
    if system == "rae_l2":  # as its training pipeline does
        settings["decoder_optimizer_params"] = {"weight_decay": model.model_config.reg_weight}
    dataset = BaseDataset(data, torch.ones(len(data)))
    return kind(model, dataset, training_config=config(output_dir=directory, no_cuda=True, **settings))

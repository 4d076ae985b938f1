"""The table of systems: a new one is one file, one entry here, one test."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Role:
    """A network of a system.

    Args:
        name: its attribute and argument.
        kind: "encoder", "decoder", "discriminator", "critic", "prior_generator" or "mask": which builder makes it; a
            critic is a discriminator without spectral normalisation, since its system keeps it Lipschitz.
        inputs: what a discriminator or critic sees: "x", "y" (observations) and "z" (codes), in the network's order.
        needed: whether a model with these arguments has it.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    needed: Callable[[dict], bool] = lambda arguments: True


@dataclass(frozen=True)
class Entry:
    """One system: its class, the arguments that the name fixes, its roles, one line of help."""

    path: str
    roles: tuple[Role, ...]
    help: str
    fixed: dict[str, Any] = field(default_factory=dict)

    def load(self) -> type:
        """The class."""
        module, name = self.path.split(":")
        return getattr(importlib.import_module(f"keras_ijae.models.{module}"), name)


ENCODER, DECODER = Role("encoder", "encoder"), Role("decoder", "decoder")
DISCRIMINATOR = Role("discriminator", "discriminator", ("x",))
CODE_DISCRIMINATOR = Role("code_discriminator", "discriminator", ("z",))
CRITIC, CODE_CRITIC = Role("critic", "critic", ("x",)), Role("code_critic", "critic", ("z",))
PRIOR_GENERATOR, MASK = Role("prior_generator", "prior_generator"), Role("mask", "mask")
JOINT_DISCRIMINATOR = Role("joint_discriminator", "discriminator", ("x", "z"))
CYCLE_DISCRIMINATOR = Role(
    "cycle_discriminator", "discriminator", ("x", "y"), lambda arguments: arguments.get("cycle") == "adversarial"
)
LIKELIHOOD_DISCRIMINATOR = Role("likelihood_discriminator", "discriminator", ("x", "z", "y"))
POSTERIOR_DISCRIMINATOR = Role(
    "posterior_discriminator",
    "discriminator",
    ("x", "z"),
    needed=lambda arguments: arguments.get("posterior", "implicit") in ("implicit", "deterministic"),
)
JOINT = (ENCODER, DECODER, JOINT_DISCRIMINATOR, CYCLE_DISCRIMINATOR)

ENTRIES = {
    "gan": Entry("gan:GAN", (DECODER, DISCRIMINATOR), "generative adversarial network: sharp samples, no encoder"),
    "vae": Entry("vae:VAE", (ENCODER, DECODER), "variational auto-encoder: a bound on the likelihood, blurred samples"),
    "beta_vae": Entry("vae:VAE", (ENCODER, DECODER), "VAE with a KL weight of 4: factors over fidelity", {"beta": 4.0}),
    "alpha_gan": Entry(
        "alpha_gan:AlphaGAN",
        (ENCODER, DECODER, DISCRIMINATOR, CODE_DISCRIMINATOR),
        "alpha-GAN: an L1 auto-encoder between a discriminator of images and one of codes",
    ),
    "ijae": Entry(
        "ijae:IJAE",
        (ENCODER, DECODER, DISCRIMINATOR, LIKELIHOOD_DISCRIMINATOR, POSTERIOR_DISCRIMINATOR),
        "implicit lambda-Jeffreys auto-encoder: sharp samples and faithful reconstructions",
    ),
    "svae": Entry("svae:SVAE", JOINT, "symmetric VAE: both joint distributions drawn together, samples over fidelity"),
    "svae_r": Entry(
        "svae:SVAE", JOINT, "sVAE that is also held to reconstruct images and codes", {"cycle_weight": 1.0}
    ),
    "ali": Entry("ali:ALI", JOINT, "adversarially learned inference: a GAN of pairs of image and code"),
    "bigan": Entry(
        "ali:ALI", JOINT, "bidirectional GAN: ALI with a deterministic encoder", {"posterior": "deterministic"}
    ),
    "alice": Entry("ali:ALI", JOINT, "ALI that is also held to reconstruct images and codes", {"cycle_weight": 1.0}),
    "wgan": Entry("wgan:WGAN", (DECODER, CRITIC), "Wasserstein GAN with clipped weights: steady, slow"),
    "wgan_gp": Entry("wgan_gp:WGANGP", (DECODER, CRITIC), "Wasserstein GAN with a gradient penalty: steady, sharp"),
    "ae": Entry("ae:AE", (ENCODER, DECODER), "plain auto-encoder: reconstructions, samples only by chance"),
    "ae_gmm": Entry(
        "ae:AE",
        (ENCODER, DECODER),
        "plain auto-encoder; then fit_prior(data) fits a Gaussian mixture to its codes",
        {"prior": "gmm"},
    ),
    "aae": Entry(
        "aae:AAE",
        (ENCODER, DECODER, CODE_DISCRIMINATOR),
        "adversarial auto-encoder: reconstructs and matches codes to the prior, in turns",
    ),
    "wae_gan": Entry(
        "wae_gan:WAEGAN",
        (ENCODER, DECODER, CODE_DISCRIMINATOR),
        "Wasserstein auto-encoder, codes matched to the prior by a discriminator",
    ),
    "wae_mmd": Entry(
        "wae_mmd:WAEMMD", (ENCODER, DECODER), "Wasserstein auto-encoder, codes matched to the prior by kernels"
    ),
    "mask_aae": Entry(
        "mask_aae:MaskAAE",
        (ENCODER, DECODER, CODE_CRITIC, MASK),
        "adversarial auto-encoder with a mask that learns how many dimensions its codes need",
    ),
    "flex_ae": Entry(
        "flex_ae:FlexAE",
        (ENCODER, DECODER, PRIOR_GENERATOR, CODE_CRITIC),
        "auto-encoder with a learned prior: a generator of codes and the encoder meet half-way",
    ),
    "flex_ae_sr": Entry(
        "flex_ae:FlexAE",
        (ENCODER, DECODER, PRIOR_GENERATOR, CODE_CRITIC, CRITIC),
        "FlexAE whose decodings between two codes are held to look like data",
    ),
}

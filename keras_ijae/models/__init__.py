"""The systems, one file each, and the table of their names: a new one is a file, an import and an entry here."""

from keras_ijae.game import Common as Common
from keras_ijae.game import FixedPrior as FixedPrior
from keras_ijae.game import Game as Game
from keras_ijae.game import Move as Move
from keras_ijae.game import Phase as Phase
from keras_ijae.game import Played as Played
from keras_ijae.game import Role as Role
from keras_ijae.game import TrainingError as TrainingError
from keras_ijae.game import create as create
from keras_ijae.game import list_models as list_models
from keras_ijae.game import register as register
from keras_ijae.models import vae_presets
from keras_ijae.models.aae import AAE as AAE
from keras_ijae.models.ae import AE as AE
from keras_ijae.models.age import AGE as AGE
from keras_ijae.models.ali import ALI as ALI
from keras_ijae.models.alpha_gan import AlphaGAN as AlphaGAN
from keras_ijae.models.as_vae import ASVAE as ASVAE
from keras_ijae.models.avb import AVB as AVB
from keras_ijae.models.eb_gan import EBGAN as EBGAN
from keras_ijae.models.factor_vae import FactorVAE as FactorVAE
from keras_ijae.models.flex_ae import FlexAE as FlexAE
from keras_ijae.models.gan import GAN as GAN
from keras_ijae.models.hierarchical_vae import HierarchicalVAE as HierarchicalVAE
from keras_ijae.models.ijae import IJAE as IJAE
from keras_ijae.models.info_vae import InfoVAE as InfoVAE
from keras_ijae.models.injflow import InjFlow as InjFlow
from keras_ijae.models.intro_vae import IntroVAE as IntroVAE
from keras_ijae.models.iop_vae import IOPVAE as IOPVAE
from keras_ijae.models.mask_aae import MaskAAE as MaskAAE
from keras_ijae.models.rae import RAE as RAE
from keras_ijae.models.svae import SVAE as SVAE
from keras_ijae.models.vae import VAE as VAE
from keras_ijae.models.vae_gan import VAEGAN as VAEGAN
from keras_ijae.models.wae_gan import WAEGAN as WAEGAN
from keras_ijae.models.wae_mmd import WAEMMD as WAEMMD
from keras_ijae.models.wgan import WGAN as WGAN
from keras_ijae.models.wgan_gp import WGANGP as WGANGP

register("gan", GAN, "generative adversarial network: sharp samples, no encoder")
register("vae", VAE, "variational auto-encoder: a bound on the likelihood, blurred samples")
register("beta_vae", VAE, "VAE with a KL weight of 4: factors over fidelity", vae_presets.UNKNOWN, beta=4.0)
register(
    "gmm_vae", VAE, "VAE whose prior is a mixture of Gaussians, learned with it", vae_presets.UNKNOWN, prior="mixture"
)
register(
    "two_stage_vae",
    VAE,
    "VAE with a learned variance; then fit_prior(data) trains a second VAE on its codes",
    {"paper": vae_presets.TWO_STAGE},
    likelihood="learned_gaussian",
    sampling_prior="two_stage",
)
register(
    "nf_vae",
    VAE,
    "VAE whose posterior is bent by a planar flow: a tighter bound",
    vae_presets.UNKNOWN,
    posterior="planar",
)
register(
    "flow_vae",
    VAE,
    "VAE whose prior is a flow, learned with it: sharper samples",
    {**vae_presets.UNKNOWN, "iaf": vae_presets.IAF},
    prior="realnvp",
)
register(
    "vamp_vae",
    VAE,
    "VAE whose prior is made of the posteriors of learned pseudo-inputs",
    {"paper": vae_presets.VAMP},
    prior="vamp",
)
register(
    "stick_vae",
    VAE,
    "VAE whose codes are weights of a broken stick: few of them are large",
    {"paper": vae_presets.STICKS},
    posterior="sticks",
    prior="sticks",
)
register(
    "resampled_vae",
    VAE,
    "VAE whose prior learns which samples of N(0, I) to reject",
    vae_presets.UNKNOWN,
    prior="resampled",
)
register(
    "hierarchical_vae",
    HierarchicalVAE,
    "VAE with a prior that has a latent variable of its own; the reconstruction error is held below a bound",
)
register("iop_vae", IOPVAE, "VAE whose prior is the distribution of its own codes, by a discriminator of codes")
register("alpha_gan", AlphaGAN, "alpha-GAN: an L1 auto-encoder between a discriminator of images and one of codes")
register("ijae", IJAE, "implicit lambda-Jeffreys auto-encoder: sharp samples and faithful reconstructions")
register("svae", SVAE, "symmetric VAE: both joint distributions matched to each other, samples over fidelity")
register("svae_r", SVAE, "sVAE that is also held to reconstruct images and codes", cycle_weight=1.0)
register("ali", ALI, "adversarially learned inference: a GAN of pairs of image and code")
register("bigan", ALI, "bidirectional GAN: ALI with a deterministic encoder", posterior="deterministic")
register("alice", ALI, "ALI that is also held to reconstruct images and codes", cycle_weight=1.0)
register("wgan", WGAN, "Wasserstein GAN with clipped weights: steady, slow")
register("wgan_gp", WGANGP, "Wasserstein GAN with a gradient penalty: steady, sharp")
register("ae", AE, "plain auto-encoder: reconstructions, samples only by chance")
register(
    "ae_gmm",
    AE,
    "plain auto-encoder; a Gaussian mixture is fitted to its codes at the end",
    prior="gmm",
)
register("aae", AAE, "adversarial auto-encoder: reconstructs and matches codes to the prior, in turns")
register("wae_gan", WAEGAN, "Wasserstein auto-encoder, codes matched to the prior by a discriminator")
register("wae_mmd", WAEMMD, "Wasserstein auto-encoder, codes matched to the prior by kernels")
register("mask_aae", MaskAAE, "adversarial auto-encoder with a mask that learns how many dimensions its codes need")
register("flex_ae", FlexAE, "auto-encoder with a learned prior: a generator of codes and the encoder meet half-way")
register("flex_ae_sr", FlexAE, "FlexAE whose decodings between two codes are held to look like data", smooth=True)
register("rae", RAE, "regularised auto-encoder: short codes and a smooth decoder; then fit_prior(data, 'gmm')")
register(
    "rae_gmm",
    RAE,
    "regularised auto-encoder; a mixture is fitted to its codes at the end",
    prior="gmm",
)
register("injflow", InjFlow, "injective flow, relaxed: an auto-encoder that bounds its decoder's volume (experimental)")
register("injflow_ln", InjFlow, "injective flow with the tighter, logarithmic bound (experimental)", logarithm=True)
register("info_vae", InfoVAE, "InfoVAE: a VAE whose codes keep information, matched to the prior by kernels")
register("factor_vae", FactorVAE, "FactorVAE: a VAE whose dimensions of the code a discriminator keeps independent")
register("avb", AVB, "adversarial variational Bayes: a VAE with an implicit encoder, its KL told by a discriminator")
register("vae_gan", VAEGAN, "VAE whose errors are measured inside a discriminator: sharp samples, with an encoder")
register(
    "as_vae", ASVAE, "experimental: adversarial symmetric VAE, joints compared with the product of their marginals"
)
register("eb_gan", EBGAN, "energy-based GAN: its discriminator is an auto-encoder; no encoder for inference")
register("age", AGE, "adversarial generator-encoder: the two play against each other over codes on a sphere")
register("intro_vae", IntroVAE, "VAE whose encoder is also the discriminator: faithful codes, sharper samples")

"""`preset="paper"` builds what a paper has: its optimizers, no running average, no spectral normalisation."""

import keras
import pytest
from systems import BATCH, dataset, images, quick, train

import keras_ijae as ki
from keras_ijae.game import ENTRIES
from keras_ijae.layers import spectral_layers
from keras_ijae.training.trainer import build

IMAGE = {"data_shape": (16, 16, 1), "latent_dim": 4}
MLP = {"family": "mlp", "noise_as": "vector"}  # noise as a channel, as in the paper of sVAE, needs convolutions
SMALL = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": MLP, "width": 8}
WITH_PRESET = [name for name, entry in ENTRIES.items() if entry.system.PRESETS]


@pytest.mark.parametrize("name", quick(WITH_PRESET, ["gan", "wgan", "mask_aae", "svae"]))
def test_a_paper_has_no_averages_no_spectral_normalisation_and_its_own_rates(name):
    model = ki.create(name, **SMALL, norm="none", preset="paper")
    model.compile(run_eagerly=True)
    assert model.ema is None and model.preset == "paper" and not model.averages
    train(model, dataset(images(5 * BATCH), 5 * BATCH))  # WGAN cuts batches into 5
    assert not any(list(spectral_layers(network)) for network in model.networks.values())


def test_the_networks_of_a_preset_are_the_papers_unless_others_are_asked_for():
    model = ki.create("mask_aae", **IMAGE, preset="paper")
    widths = [layer.units for layer in model.code_critic.layers if isinstance(layer, keras.layers.Dense)]
    assert widths == [1024] * 4 + [1]
    assert not spectral_layers(ki.create("svae", **IMAGE, preset="paper").joint_discriminator)
    assert spectral_layers(ki.create("svae", **IMAGE, preset="paper", spectral=True).joint_discriminator)
    small = ki.create("mask_aae", **SMALL, preset="paper")
    assert max(layer.units for layer in small.code_critic.layers if isinstance(layer, keras.layers.Dense)) < 1024


def norms(network):
    return {type(layer).__name__ for layer in network.layers if "Norm" in type(layer).__name__}


@pytest.mark.parametrize("networks", ["dcgan", {"width": 8}, "auto"])
def test_networks_that_are_asked_for_keep_what_else_the_preset_says(networks):
    model = ki.create("alpha_gan", **IMAGE, networks=networks, preset="paper")
    assert norms(model.decoder) == {"BatchNormalization"} and not spectral_layers(model.discriminator)
    other = ki.create("alpha_gan", **IMAGE, networks=ki.networks.Networks(family="dcgan"), preset="paper")
    assert norms(other.decoder) == {"GroupNorm"} and spectral_layers(other.discriminator)


def test_a_width_that_is_given_goes_before_the_presets_widths_of_single_networks():
    for given in ({"width": 24}, {"networks": {"width": 24}}):
        model = ki.create("wae_gan", **IMAGE, preset="paper", **given)
        assert hidden(model.code_discriminator) == [24] * 4  # the depth is still the authors'
    own = {"width": 16, "roles": {"code_discriminator": {"width": 24}}}
    assert hidden(ki.create("wae_gan", **IMAGE, preset="paper", networks=own).code_discriminator) == [24] * 2


def test_vectors_that_a_papers_convolutions_cannot_take_are_refused_with_what_to_pass():
    remedy = {"family": "mlp", "noise_as": "vector"}
    for networks in ("auto", "mlp"):
        with pytest.raises(ValueError) as error:
            ki.create("svae", data_shape=(6,), latent_dim=2, preset="paper", networks=networks)
        assert f"pass networks={remedy}. Received: noise_as='channel', data_shape=(6,)" in str(error.value)
    made = ki.create("svae", data_shape=(6,), latent_dim=2, preset="paper", networks=remedy)
    assert made.encoder.output_shape == (None, 2)


def test_a_recipe_that_names_no_family_has_the_networks_of_its_preset():
    recipe = ki.training.Recipe(system="mask_aae", dataset="digits", width=8, arguments={"preset": "paper"})
    model = build(recipe, (16, 16, 1))
    assert [layer.units for layer in model.encoder.layers if isinstance(layer, keras.layers.Dense)] == [8] * 4 + [16]


def test_a_code_of_the_papers_symmetric_vae_is_in_the_box_of_its_prior():
    model = ki.create("svae", **IMAGE, preset="paper")
    assert type(model.prior).__name__ == "Uniform"
    assert abs(model.encode(images(4, (16, 16, 1)), seed=1)).max() <= 1


def test_what_is_given_goes_before_the_preset_and_the_entry_before_the_preset():
    model = ki.create("alpha_gan", **SMALL, preset="paper", l1_mean_weight=3.0, ema=0.5)
    assert (float(model.l1_mean_weight), model.ema) == (3.0, 0.5)
    assert float(ki.create("alpha_gan", **SMALL, preset="paper").l1_mean_weight) == 80
    assert ki.create("bigan", **SMALL, preset="paper").posterior_kind == "deterministic"


def test_the_rates_of_a_preset_are_those_of_a_model_that_is_loaded_and_compiled_anew(tmp_path):
    made = ki.create("wae_gan", **SMALL, preset="paper")
    made.compile()
    made.save(tmp_path / "model.keras")
    loaded = ki.load_model(tmp_path / "model.keras")
    rates = [optimizer.get_config()["learning_rate"] for optimizer in made.optimizer.optimizers]
    assert rates[0]["class_name"] == "PiecewiseConstantDecay"
    assert [optimizer.get_config()["learning_rate"] for optimizer in loaded.optimizer.optimizers] == rates
    loaded.compile()
    assert [optimizer.get_config()["learning_rate"] for optimizer in loaded.optimizer.optimizers] == rates
    plain = ki.create("wae_gan", **SMALL)
    plain.compile()
    assert not isinstance(plain.optimizer.optimizers[0].get_config()["learning_rate"], dict)


@pytest.mark.parametrize(
    ("name", "preset", "message"),
    [
        ("gan", "papr", "`preset` must be one of 'paper'. Received: preset='papr'.*Did you mean 'paper'"),
        ("ijae", "paper", "`preset` must be None for IJAE: it has none. Received: 'paper'"),
    ],
)
def test_a_preset_that_is_none_is_refused(name, preset, message):
    with pytest.raises(ValueError, match=message):
        ki.create(name, **SMALL, preset=preset)


def hidden(network):
    return [layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)][:-1]


def test_judges_of_a_preset_are_the_authors():
    assert norms(ki.create("wgan", **IMAGE, preset="paper").critic) == {"BatchNormalization"}
    assert not norms(ki.create("wgan_gp", **IMAGE, preset="paper").critic)
    assert hidden(ki.create("wae_gan", **IMAGE, preset="paper").code_discriminator) == [512] * 4
    alpha_gan = ki.create("alpha_gan", **IMAGE, preset="paper")
    assert hidden(alpha_gan.code_discriminator) == [700] * 2 and not norms(alpha_gan.code_discriminator)
    assert norms(alpha_gan.discriminator) == {"BatchNormalization"}


FLEX_AE = {
    "auto_encoder": (2e-4, 0.9, 0.999),
    "code_critic": (1e-4, 0.0, 0.9),
    "prior_generator": (2e-4, 0.0, 0.9),
    "encoder": (1e-5, 0.0, 0.9),
}
SMOOTH = {move: (2e-4, 0.5, 0.9) for move in ("critic", "smooth")}
PAPERS = {
    "alpha_gan": ((8e-4, 0.5, 0.9), {"l1_mean_weight": 80.0}),
    "svae_r": ((1e-4, 0.5, 0.999), {}),
    "wgan_gp": ((1e-4, 0.5, 0.9), {"critic_steps": 5}),
    "gan": ((2e-4, 0.5, 0.999), {"discriminator_steps": 1}),
    "age": ((2e-4, 0.5, 0.999), {"decoder_steps": 2, "l1_mean_weight": 20, "cosine_weight": 7.8125}),
    "intro_vae": ((2e-4, 0.9, 0.999), {"margin": 120, "adversarial_weight": 0.25}),
    "eb_gan": ((1e-3, 0.9, 0.999), {"margin": 10, "feature_dim": 256}),
    "flex_ae": (FLEX_AE, {"critic_steps": 5}),
    "flex_ae_sr": (FLEX_AE | SMOOTH, {"critic_steps": 5}),
}


@pytest.mark.parametrize("name", list(PAPERS))
def test_a_preset_has_the_papers_rates_steps_and_weights_whatever_the_defaults_are(name):
    """(rate, beta_1, beta_2) of Adam for all moves or for each."""
    model, (expected, arguments) = ki.create(name, **SMALL, preset="paper"), PAPERS[name]
    model.compile()
    moves = {move.name for move in model.moves}
    expected = expected if isinstance(expected, dict) else dict.fromkeys(moves, expected)
    assert set(expected) == moves
    for move, values in expected.items():
        adam = model.optimizer.by_move[move]
        assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == pytest.approx(values)
    for argument, value in arguments.items():
        assert float(getattr(model, argument)) == value


def activations(network):
    return {layer.activation.__name__ for layer in network.layers if isinstance(layer, keras.layers.Activation)}


def test_the_first_auto_encoders_are_as_wide_and_deep_as_their_papers_have_them():
    vae = ki.create("vae", **IMAGE, preset="paper")
    vae.compile()
    assert [(hidden(net), activations(net)) for net in (vae.encoder, vae.decoder)] == [([500], {"tanh"})] * 2
    adagrad = vae.optimizer.optimizers[0]
    assert (type(adagrad), float(adagrad.learning_rate)) == (keras.optimizers.Adagrad, pytest.approx(0.01))
    aae = ki.create("aae", **IMAGE, preset="paper")
    networks = (aae.encoder, aae.decoder, aae.code_discriminator)
    assert [(hidden(net), activations(net)) for net in networks] == [([1000, 1000], {"relu"})] * 3
    assert not spectral_layers(aae.code_discriminator)
    ae = ki.create("ae_gmm", **IMAGE, preset="paper")
    ae.compile()
    assert norms(ae.encoder) == norms(ae.decoder) == {"BatchNormalization"} and activations(ae.encoder) == {"relu"}
    assert float(ae.optimizer.optimizers[0].learning_rate) == pytest.approx(5e-4)


def test_a_vae_of_residual_networks_has_the_defaults_of_the_vae_besides():
    model = ki.create("vae", **IMAGE, preset="resnet", width=4)
    assert model.preset == "resnet" and model.ema is None
    for network in (model.encoder, model.decoder):
        assert any(isinstance(layer, keras.layers.Add) for layer in network.layers)
    model.compile()
    assert float(model.optimizer.optimizers[0].learning_rate) == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="'resnet' need images of at least 8x8"):
        ki.create("vae", data_shape=(6,), latent_dim=2, preset="resnet")


def test_regularised_and_factorising_auto_encoders_have_their_authors_numbers():
    rae = ki.create("rae_gmm", **SMALL, preset="paper")
    rae.compile()
    assert (float(rae.beta), float(rae.regularizer_weight)) == pytest.approx((0.0128, 1.024e-4))
    assert float(rae.optimizer.optimizers[0].learning_rate) == pytest.approx(5e-4)
    factor = ki.create("factor_vae", **SMALL, preset="paper")
    factor.compile()
    adam = factor.optimizer.by_move["code_discriminator"]
    assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == pytest.approx((1e-4, 0.5, 0.9))


def test_dcgan_has_its_kinds_of_layers_its_channels_and_its_prior():
    made = ki.create("gan", **IMAGE | {"data_shape": (32, 32, 3)}, preset="paper")
    convolutions = [layer for layer in made.discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.strides) for layer in convolutions] == [(128, (2, 2)), (256, (2, 2)), (512, (2, 2))]
    transposed = [layer for layer in made.decoder.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert [layer.filters for layer in transposed] == [256, 128, 3]
    assert norms(made.discriminator) == norms(made.decoder) == {"BatchNormalization"}
    normalised = [layer for layer in made.discriminator.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(normalised) == 2 and activations(made.decoder) == {"relu"}
    assert type(made.prior).__name__ == "Uniform" and made.ema is None
    assert type(ki.create("gan", **SMALL, preset="paper").decoder.layers[-1]).__name__ == "Reshape"  # mlp, as asked


@pytest.mark.parametrize("name", list(ENTRIES))
def test_a_system_says_which_defaults_are_not_its_papers(name):
    system = ENTRIES[name].system
    if any(role.judges for role in system.ROLES):
        assert "running average" in system.__doc__ and "`ema`" in system.__doc__
    if any(role.kind == "discriminator" for role in system.ROLES):
        assert "spectral" in system.__doc__

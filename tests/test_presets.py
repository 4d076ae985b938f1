"""`preset="paper"` builds what a paper has: its optimizers, no running average, no spectral normalisation."""

import keras
import numpy as np
import pytest
from systems import BATCH, dataset, images, quick, train

import keras_ijae as ki
from keras_ijae.game import ENTRIES
from keras_ijae.layers import spectral_layers
from keras_ijae.training.trainer import build

IMAGE = {"data_shape": (16, 16, 1), "latent_dim": 4}
MLP = {"family": "mlp", "noise_as": "vector"}  # noise as a channel, as in the paper of sVAE, needs convolutions
SMALL = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": MLP, "width": 8}
WITH_PRESET = [name for name, entry in ENTRIES.items() if "paper" in entry.presets]


@pytest.mark.parametrize("name", quick(WITH_PRESET, ["gan", "wgan", "mask_aae", "svae"]))
def test_a_paper_has_no_averages_no_spectral_normalisation_and_its_own_rates(name):
    model = ki.create(name, **SMALL, norm="none", preset="paper")
    model.compile(run_eagerly=True)
    assert model.ema is None and not model.averages
    assert model.preset == (f"{name}:paper" if "paper" in ENTRIES[name].own_presets else "paper")
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
        ("gmm_vae", "paper", "`preset` must be one of 'resnet'. Received: preset='paper'"),
        ("flow_vae", "paper", "`preset` must be one of 'resnet', 'iaf'. Received: preset='paper'"),
        ("vae", "vamp_vae:paper", "`preset` must be one of 'paper', 'resnet'. Received: preset='vamp_vae:paper'"),
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


def adam(rate, beta_1=0.9, beta_2=0.999):
    return "Adam", {"learning_rate": rate, "beta_1": beta_1, "beta_2": beta_2}


def rms(rate):
    return "RMSprop", {"learning_rate": rate}


FLEX_AE = {
    "auto_encoder": adam(2e-4),
    "code_critic": adam(1e-4, 0.0, 0.9),
    "prior_generator": adam(2e-4, 0.0, 0.9),
    "encoder": adam(1e-5, 0.0, 0.9),
}
SMOOTH = {move: adam(2e-4, 0.5, 0.9) for move in ("critic", "smooth")}
PAPERS = {
    "alpha_gan": (adam(8e-4, 0.5, 0.9), {"l1_mean_weight": 80.0}),
    "svae_r": (adam(1e-4, 0.5), {}),
    "ali": (adam(1e-4, 0.5), {}),
    "wgan": (rms(5e-5), {"critic_steps": 5, "clip": 0.01, "fresh_batches": True}),
    "wgan_gp": (adam(1e-4, 0.5, 0.9), {"critic_steps": 5, "fresh_batches": True}),
    "gan": (adam(2e-4, 0.5), {"discriminator_steps": 1}),
    "age": (adam(2e-4, 0.5), {"decoder_steps": 2, "l1_mean_weight": 20, "cosine_weight": 500, "divergence": "code"}),
    "avb": ({"auto_encoder": adam(5e-5, 0.5), "posterior_discriminator": adam(1e-4, 0.5)}, {}),
    "vae_gan": (rms(0.025 / 64), {"gamma": 1e-5, "feature_scale": 1.0, "objective": "minimax", "fakes": "samples"}),
    "wae_mmd": (adam(1e-3, 0.5), {"penalty_weight": 10.0}),
    "wae_gan": ({"auto_encoder": adam(1e-3, 0.5), "code_discriminator": adam(5e-4, 0.5)}, {"penalty_weight": 10.0}),
    "intro_vae": (adam(2e-4), {"margin": 120, "adversarial_weight": 0.25}),
    "eb_gan": (adam(1e-3), {"margin": 10, "feature_dim": 256}),
    "flex_ae": (FLEX_AE, {"critic_steps": 5}),
    "flex_ae_sr": (FLEX_AE | SMOOTH, {"critic_steps": 5}),
    "vamp_vae": (adam(5e-4), {"warm_up_steps": 100 * 500}),
    "two_stage_vae": (adam(1e-4), {}),
    "stick_vae": (adam(3e-4, 0.95), {}),
}


@pytest.mark.parametrize("name", list(PAPERS))
def test_a_preset_has_the_papers_rates_steps_and_weights_whatever_the_defaults_are(name):
    """The optimizer, its rate at the start and its other numbers, of all moves or of each."""
    model, (expected, arguments) = ki.create(name, **SMALL, preset="paper"), PAPERS[name]
    model.compile()
    moves = {move.name for move in model.moves}
    expected = expected if isinstance(expected, dict) else dict.fromkeys(moves, expected)
    assert set(expected) == moves
    for move, (kind, numbers) in expected.items():
        optimizer = model.optimizer.by_move[move]
        assert type(optimizer).__name__ == kind
        assert {key: float(getattr(optimizer, key)) for key in numbers} == pytest.approx(numbers)
    for argument, value in arguments.items():
        found = getattr(model, argument)
        assert (found if isinstance(value, str | bool) else float(found)) == pytest.approx(value)


def rate_of(optimizer, step):
    schedule = keras.optimizers.schedules.deserialize(optimizer.get_config()["learning_rate"])
    return float(schedule(step))


def test_rates_are_halved_after_as_many_of_a_moves_own_steps_as_the_authors_epochs_have():
    age = ki.create("age", **SMALL, preset="paper", decoder_steps=3)
    two_stage = ki.create("two_stage_vae", **SMALL, preset="paper")
    age.compile(), two_stage.compile()
    halved = [(age, "encoder", 781, (39, 79, 119), 2e-4), (age, "decoder", 3 * 781, (39, 79, 119), 2e-4)]
    halved += [(two_stage, "auto_encoder", 937, (150, 300), 1e-4)]
    for model, move, epoch, epochs, rate in halved:
        for times, end in enumerate(epochs):
            steps = end * epoch - 1, end * epoch + 1
            found = [rate_of(model.optimizer.by_move[move], step) for step in steps]
            assert found == pytest.approx([rate / 2**times, rate / 2 ** (times + 1)])


GATED = [600, 600]  # a gate beside each of 300 units


def test_names_of_one_class_have_the_networks_priors_and_posteriors_of_their_own_papers():
    vamp = ki.create("vamp_vae", **IMAGE, preset="paper")
    assert (vamp.prior.components, hidden(vamp.encoder), hidden(vamp.decoder)) == (500, GATED, GATED)
    assert ki.create("vamp_vae", **SMALL, preset="paper", prior="vamp").prior.components == 64
    sticks = ki.create("stick_vae", **IMAGE, preset="paper")
    assert [(hidden(net), activations(net)) for net in (sticks.encoder, sticks.decoder)] == [([500], {"relu"})] * 2
    config = ki.create("two_stage_vae", **SMALL, preset="paper").sampling_prior.get_config()
    theirs = {"width": 1024, "depth": 3, "epochs": 800, "batch_size": 64, "learning_rate": 1e-4}
    assert config == config | theirs
    flow = ki.create("flow_vae", **IMAGE, preset="iaf")
    flow.compile()
    assert (type(flow.posterior_family).__name__, type(flow.prior).__name__) == ("IAF", "StandardNormal")
    assert (flow.ema, float(flow.free_bits), flow.preset) == (0.999, 0.25 * 4, "flow_vae:iaf")
    adamax = flow.optimizer.optimizers[0]
    assert (type(adamax), float(adamax.learning_rate)) == (keras.optimizers.Adamax, pytest.approx(2e-3))
    assert type(ki.create("flow_vae", **SMALL).prior).__name__ == "RealNVP"


def test_a_preset_of_one_name_alone_is_that_of_a_model_that_is_loaded_and_compiled_anew(tmp_path):
    made = ki.create("stick_vae", **SMALL, preset="paper")
    made.save(tmp_path / "model.keras")
    loaded = ki.load_model(tmp_path / "model.keras")
    loaded.compile()
    assert loaded.preset == "stick_vae:paper" and loaded.optimizer.optimizers[0].beta_1 == 0.95
    assert ki.models.VAE(**made.networks, prior="sticks", posterior="sticks", preset=made.preset).preset == made.preset


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


def test_age_weighs_the_cosine_by_the_size_of_the_codes_over_which_the_authors_take_the_mean():
    for latent_dim, weight in ((2, 500), (64, 15.625), (128, 7.8125)):
        model = ki.create("age", **SMALL | {"latent_dim": latent_dim}, preset="paper")
        assert float(model.cosine_weight) == weight


RAES = {  # beta and the weight, times 2 D / m, and D or D / m: the authors take means over D pixels and m codes
    "l2": (1e-4, 1e-7, lambda pixels, codes: pixels),
    "gradient_code": (1e-4, 5e-8, lambda pixels, codes: pixels / codes),
    "gradient": (1e-4, 0.1, lambda pixels, codes: 1),  # the weight is ours
    "spectral": (9e-3, None, None),
    None: (5e-4, None, None),
}


@pytest.mark.parametrize("regularizer", RAES)
@pytest.mark.parametrize("sizes", [((8, 8, 1), 2), ((32, 32, 1), 16), ((6,), 3)], ids=str)
def test_each_regularizer_has_the_authors_numbers_for_the_sizes_of_data_and_codes(regularizer, sizes):
    shape, codes = sizes
    given = {"data_shape": shape, "latent_dim": codes, "networks": "mlp", "width": 8}
    rae, pixels = ki.create("rae", **given, preset="paper", regularizer=regularizer), np.prod(shape)
    beta, weight, scale = RAES[regularizer]
    assert rae.regularizer == regularizer and float(rae.beta) == pytest.approx(beta * 2 * pixels / codes)
    if weight is None:
        assert rae.regularizer_weight is None
    else:
        assert float(rae.regularizer_weight) == pytest.approx(weight * scale(pixels, codes))
    rae.compile()
    assert float(rae.optimizer.optimizers[0].learning_rate) == pytest.approx(5e-4)


def test_rae_has_for_the_authors_mnist_what_its_docstring_says():
    rae = ki.create("rae", (32, 32, 1), 16, "mlp", 8, preset="paper")
    assert (float(rae.beta), float(rae.regularizer_weight)) == pytest.approx((0.0128, 1.024e-4))


def test_regularised_and_factorising_auto_encoders_have_their_authors_numbers():
    rae = ki.create("rae_gmm", **SMALL, preset="paper")
    assert (rae.regularizer, float(rae.regularizer_weight)) == ("l2", pytest.approx(1e-7 * 64))
    assert float(ki.create("rae", **SMALL, preset="paper", regularizer_weight=3.0, beta=2.0).beta) == 2
    with pytest.raises(ValueError, match="`regularizer` must be one of .*adam"):
        ki.create("rae", **SMALL, preset="paper", regularizer=["adam"])
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

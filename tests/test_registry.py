"""Systems are made from a user's own networks, and what does not fit is said before anything trains."""

import re

import keras
import pytest
from systems import CLASSES, REPRESENTATIVE, SYSTEMS, create, quick

import keras_ijae as ki
from keras_ijae.game import ENTRIES, arguments_of
from keras_ijae.game.config import ORIGIN
from keras_ijae.game.entries import Entry


def test_an_own_network_takes_the_place_of_the_default_one():
    own = ki.networks.decoder("mlp", (4,), 2, width=3)
    model = ki.create("gan", data_shape=(4,), latent_dim=2, width=4, decoder=own)
    assert model.decoder is own and model.discriminator.name == "discriminator"
    with pytest.raises(ValueError, match=r"`decoder` must accept inputs of shape \(3,\)"):
        ki.create("gan", data_shape=(4,), latent_dim=3, width=4, decoder=own)


def test_own_networks_say_the_shapes_of_data_and_codes_unless_they_are_given():
    made = ki.create("ijae", data_shape=(4,), latent_dim=2, width=4)
    model = ki.models.IJAE(**made.networks, lam=0.5)
    assert (model.data_shape, model.latent_dim, float(model.lam)) == ((4,), 2, 0.5)
    with pytest.raises(ValueError, match="latent_dim"):
        ki.models.IJAE(**made.networks, latent_dim=0)


@pytest.mark.parametrize("name", quick(CLASSES, REPRESENTATIVE))
def test_arguments_are_keywords_and_kept_under_their_names(name):
    model = create(name)
    names = set(arguments_of(type(model)))
    assert {*names, ORIGIN} == set(model.get_config())
    assert names >= {"data_shape", "latent_dim", "ema", "seed", "preset", "name"}
    with pytest.raises(TypeError, match="positional"):
        type(model)(*model.networks.values())


def test_a_network_that_is_missing_is_named():
    networks = create("ijae").networks
    with pytest.raises(ValueError, match="Argument `discriminator` must be a network"):
        ki.models.IJAE(**{**networks, "discriminator": None})
    with pytest.raises(ValueError, match="`smooth`=True needs a `critic`"):
        ki.models.FlexAE(**create("flex_ae").networks, smooth=True)
    with pytest.raises(ValueError, match="`smooth`=False takes no `critic`"):
        ki.models.FlexAE(**create("flex_ae_sr").networks)


@pytest.mark.parametrize("name", ["gan", "alpha_gan", "ijae"])
def test_a_decoder_whose_images_leave_the_unit_interval_is_refused(name):
    linear = ki.networks.decoder("mlp", (8, 8, 1), 2, width=8, activation="linear")
    with pytest.raises(ValueError, match="`decoder` does not fit.*must lie in .*give its last layer.*'sigmoid'"):
        create(name, decoder=linear)


def test_a_sigmoid_under_a_likelihood_of_logits_is_said():
    probabilities = ki.networks.decoder("mlp", (8, 8, 1), 2, width=8, activation="sigmoid")
    with pytest.warns(UserWarning, match="look like probabilities.*the activation 'linear'"):
        create("vae", decoder=probabilities)


@pytest.mark.parametrize("name", quick(ENTRIES, REPRESENTATIVE))
def test_default_networks_give_what_the_system_takes_without_a_warning(name):
    create(name)  # warnings are errors here


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_name_says_that_it_takes_classes_where_it_does_and_else_why_not(name):
    why, how = ENTRIES[name].unconditional, {"data_shape": (4,), "latent_dim": 2, "networks": "mlp", "width": 4}
    if why:
        with pytest.raises(ValueError, match=f"`classes` is not taken by .*{re.escape(why)}"):
            ki.create(name, classes=3, **how)
    else:
        assert ki.create(name, classes=3, **how).classes == 3


@pytest.mark.parametrize(("how", "is_taken"), [({"prior": "normal"}, True), ({"sampling_prior": "gmm"}, False)])
def test_what_a_name_fixes_says_whether_it_takes_classes(how, is_taken):
    assert (Entry(ki.models.VAE, "", how).unconditional == "") is is_taken
    prior = ki.distributions.LearnedMixture(5)
    for one in (prior, keras.saving.serialize_keras_object(prior)):
        assert "LearnedMixture" in Entry(ki.models.VAE, "", {"prior": one}).unconditional


def test_a_run_directory_is_loaded_as_its_model(tmp_path):
    model = create("gan")
    model.save(tmp_path / "model.keras")
    assert (ki.load_model(tmp_path).sample(2) == model.sample(2)).all()
    with pytest.raises(ValueError, match="`path` must be .*a run directory.*elsewhere, which does not exist"):
        ki.load_model(tmp_path / "elsewhere")

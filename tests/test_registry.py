"""Systems are made from a user's own networks."""

import pytest

import keras_ijae as ki


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

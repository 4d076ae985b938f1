"""Bad input: a clear error before the first step; later, training stops, says why, and nothing good is lost."""

import os
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import BATCH, LATENT, SHAPE, compiled, create, dataset, images, quick, same, train, weights

import keras_ijae as ki
from keras_ijae.models import GAN, IJAE, VAE, TrainingError
from keras_ijae.networks import decoder, discriminator, encoder

EAGER = {"run_eagerly": True}
ONE = dataset(images(BATCH))


@pytest.fixture(scope="module")
def models():
    """name -> a compiled system; nothing that a test does may move it."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = compiled(name, EAGER)
        return made[name]

    return get


def broken(value):
    x = images(BATCH)
    x[2, 1, 3, 0] = value
    return x


BATCHES = {
    "too bright": (images(BATCH) * 255, r"`x` must be images in \[0, 1\]. Received: range \[0\.\d+, 25\d\.\d+\]"),
    "signed": (images(BATCH) * 2 - 1, r"`x` must be images in \[0, 1\]. Received: range \[-"),
    "integers": ((images(BATCH) * 255).astype("uint8"), "`x` must be floating images.*255.*Received: dtype uint8"),
    "int64": (np.zeros((BATCH, *SHAPE), "int64"), "Received: dtype int64"),
    "flat": (images(BATCH, (64,)), r"`x` must have shape \(batch, 8, 8, 1\). Received: shape \(8, 64\)"),
    "channels": (images(BATCH, (8, 8, 3)), r"shape \(batch, 8, 8, 1\). Received: shape \(8, 8, 8, 3\)"),
    "size": (images(BATCH, (9, 8, 1)), r"Received: shape \(8, 9, 8, 1\)"),
    "no channels": (images(BATCH, (8, 8)), r"Received: shape \(8, 8, 8\)"),
    "NaN": (broken(np.nan), "`x` must be finite. Received 1 NaN or infinite"),
    "infinite": (broken(np.inf), "`x` must be finite. Received 1 NaN or infinite"),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_bad_batches_are_refused_before_the_first_step(models, kind):
    model, (x, message) = models("ijae"), BATCHES[kind]
    before = weights(model)
    for data in (dataset(x), x, dataset(x).map(lambda x: {"image": x}), dataset(x).map(lambda x: (x, 0))):
        if kind == "integers" and isinstance(data, tf.data.Dataset) and isinstance(data.element_spec, dict):
            continue  # as tfds has them: scaled
        with pytest.raises(ValueError, match=message):
            train(model, data)
    same(before, weights(model))
    assert int(model.steps.numpy()) == 0


@pytest.mark.parametrize("kind", BATCHES)
def test_methods_refuse_bad_batches_too(models, kind):
    model, (x, message) = models("vae"), BATCHES[kind]
    for method in (model.encode, model.reconstruct, model.elbo, lambda x: model.interpolate(x, x)):
        with pytest.raises(ValueError, match=message):
            method(x)


@pytest.mark.parametrize("kind", BATCHES)
def test_bad_data_are_refused_in_evaluation_and_validation(models, kind):
    model, (x, message) = models("vae"), BATCHES[kind]
    with pytest.raises(ValueError, match=message):
        model.evaluate(x, verbose=0)
    with pytest.raises(ValueError, match=message):
        train(model, validation_data=dataset(x))
    assert int(model.steps.numpy()) == 0


@pytest.mark.parametrize("kind", BATCHES)
def test_single_batches_are_refused_like_those_of_fit_and_evaluate(models, kind):
    model, (x, message) = models("vae"), BATCHES[kind]
    for call in (model.train_on_batch, model.test_on_batch):
        for batch in ((x,), (x, np.zeros(BATCH)), ((x, np.zeros(BATCH)),)):
            with pytest.raises(ValueError, match=message):
                call(*batch)
    assert int(model.steps.numpy()) == 0


def test_all_rows_of_a_single_batch_are_looked_at_each_time_and_its_number_of_rows_once():
    model, x = compiled("wae_mmd", EAGER), images(40)
    with pytest.raises(ValueError, match=r"Batches must have at least 2 rows.* Received: 1,"):
        model.train_on_batch(x[:1])
    assert model.train_on_batch((x, np.zeros(40)))[0] > 0 and model.train_on_batch(x[:1])[0] > 0
    with pytest.raises(ValueError, match=r"range \[.*, 25\d"):
        model.train_on_batch(np.concatenate([x[:39], 0 * x[:1] + 255]))
    with pytest.raises(ValueError, match="`x` must be one batch; `fit` and `evaluate` take data sets"):
        model.train_on_batch(dataset(x))
    assert int(model.steps.numpy()) == 2


def test_labels_of_single_batches_are_checked():
    model, x, y = compiled("vae", EAGER, classes=3), images(BATCH), np.arange(BATCH) % 3
    for call in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="Labels must be integers .* Received: labels from 1 to 3"):
            call(x, y + 1)
        with pytest.raises(ValueError, match="needs labels"):
            call(x)
        assert call(x, y, return_dict=True) and call((x, y)) and call([x, y])


@pytest.mark.parametrize("likelihood", ["bernoulli", "discretized_logistic"])
def test_vectors_outside_the_unit_interval_are_refused_where_the_likelihood_is_of_it(likelihood):
    model = compiled("vae", EAGER, shape=(5,), likelihood=likelihood)
    for x in (images(BATCH, (5,)) * 2, images(BATCH, (5,)) - 1):
        with pytest.raises(ValueError, match=r"`x` must be in \[0, 1\] under a .* create.*likelihood='gaussian'"):
            train(model, dataset(x))
    assert int(model.steps.numpy()) == 0
    train(model, dataset(images(BATCH, (5,))))
    train(compiled("vae", EAGER, shape=(5,), likelihood="gaussian"), dataset(images(BATCH, (5,)) * 2 - 1))


def test_what_is_no_data_is_refused(models):
    with pytest.raises(ValueError, match="`x` must be an array.* Received: None"):
        models("vae").fit(None, verbose=0)
    for given in (object(), len, {1, 2}, (), {}, np.float32(1), b"x", keras.Input(SHAPE), (keras.Input(SHAPE), 0)):
        for method in (models("vae").fit, models("vae").evaluate, models("vae").predict):
            with pytest.raises(ValueError, match="`x` must be an array, a pair .* Received: "):
                method(given, verbose=0)


@pytest.mark.parametrize(
    ("data", "received"),
    [(images(BATCH).tolist(), "a list of 8 parts"), ([images(4), images(4, seed=1)], "a list of 2 parts"), (3, "3")],
)
def test_lists_of_which_only_the_first_part_would_be_trained_on_are_refused(models, data, received):
    for name, call in (
        ("x", lambda: train(models("ae"), data)),
        ("x", lambda: train(models("ae"), images(BATCH), validation_data=data)),
        ("data", lambda: models("ae").fit_prior(data, "normal")),
    ):
        with pytest.raises(ValueError, match=rf"Argument `{name}` must be an array, a pair .* Received: {received}"):
            call()


COMPARING = ["age", "eb_gan", "factor_vae", "flex_ae", "info_vae", "mask_aae", "wae_mmd"]


@pytest.mark.parametrize("name", quick(COMPARING, ["age", "info_vae", "wae_mmd"]))
def test_systems_that_compare_the_rows_of_a_batch_need_two_rows_and_take_a_last_batch_of_one(name, models):
    with pytest.raises(ValueError, match=r"Batches must have at least 2 rows.* Received: 1, by the argument"):
        train(models(name), images(BATCH), batch_size=1)
    history = train(compiled(name, EAGER), images(BATCH + 1), batch_size=BATCH).history
    assert all(np.isfinite(values).all() for values in history.values())


@pytest.mark.parametrize("given", [3, "mlp", {"units": 3}, float("nan")])
def test_what_is_no_network_is_named(given):
    networks = create("vae").networks
    with pytest.raises(ValueError, match="Argument `encoder` must be a network, a keras.Model. Received: encoder="):
        VAE(**networks | {"encoder": given}, data_shape=SHAPE, latent_dim=LATENT)


@pytest.mark.parametrize("seed", [2.5, True, "a", 2**40])
def test_seeds_are_whole_numbers_of_32_bits(models, seed):
    model, x = models("vae"), images(2)
    for call in (model.encode, model.reconstruct, model.elbo, model.importance_weighted_bound):
        with pytest.raises(ValueError, match="Argument `seed` must be an integer from -2147483648 to 2147483647"):
            call(x, seed=seed)
    with pytest.raises(ValueError, match="`seed` must be an integer"):
        model.decode(np.zeros((1, LATENT), "float32"), seed=seed)


def steering(tmp_path):
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    return [keras.callbacks.EarlyStopping(), keras.callbacks.ReduceLROnPlateau(), best]


def test_callbacks_that_select_by_val_loss_work_where_there_is_one_and_are_refused_elsewhere(models, tmp_path):
    for callback in steering(tmp_path):
        with pytest.raises(ValueError, match=f"{type(callback).__name__} monitors `val_loss`, which GAN has not"):
            train(models("gan"), ONE, validation_data=ONE, callbacks=[callback])
    train(compiled("vae", EAGER), ONE, validation_data=ONE, callbacks=steering(tmp_path))
    assert (tmp_path / "best.keras").is_file()


@pytest.mark.parametrize("how", [{"run_eagerly": "no"}, {"jit_compile": "yes"}, {"jit_compile": 1}])
def test_ways_to_run_are_true_or_false(how):
    ((name, value),) = how.items()
    with pytest.raises(ValueError, match=f"`{name}` must be True or False. Received: {name}={value!r}"):
        create("ae").compile(**how)


@pytest.mark.parametrize("empty", [dataset().take(0), images(0), iter([])], ids=["dataset", "array", "iterator"])
def test_an_empty_dataset_is_refused(models, empty):
    with pytest.raises(ValueError, match="empty"):
        train(models("gan"), empty)


def test_a_dictionary_without_images_is_refused(models):
    with pytest.raises(ValueError, match=r'must have "image". Received the keys \[\'label\', \'pixels\'\]'):
        train(models("gan"), dataset().map(lambda x: {"pixels": x, "label": 0}))


def test_a_batch_of_one_needs_no_batch_statistics():
    model = compiled("vae", EAGER, norm="batch")
    with pytest.raises(ValueError, match="batch of one row has no batch statistics.*encoder"):
        train(model, dataset(images(1), batch=1))
    assert int(model.steps.numpy()) == 0
    train(compiled("vae", EAGER, norm="group"), dataset(images(1), batch=1))


@pytest.mark.parametrize("size", [0, -1, 2.5, None, True])
def test_latent_dim_is_positive(size):
    with pytest.raises(ValueError, match=rf"`latent_dim` must be an integer >= 1. Received: latent_dim={size}"):
        ki.create("vae", data_shape=SHAPE, latent_dim=size)


@pytest.mark.parametrize("shape", [(8, 8), (0, 8, 1), (8, 8.0, 1), ()])
def test_data_shapes_are_of_images_or_vectors(shape):
    with pytest.raises(ValueError, match=rf"`data_shape` must be .*Received: {re.escape(repr(shape))}"):
        ki.create("vae", data_shape=shape, latent_dim=2)


def test_data_shapes_can_be_integers_of_numpy():
    model = ki.create("gan", data_shape=np.array([8, 8, 1]).tolist(), latent_dim=2, networks="mlp", width=4)
    again = ki.create("gan", data_shape=tuple(np.array([8, 8, 1])), latent_dim=2, networks="mlp", width=4)
    assert model.data_shape == again.data_shape and type(again.data_shape[0]) is int


def test_a_class_checks_its_sizes_too(models):
    with pytest.raises(ValueError, match="`data_shape` must be an integer >= 1. Received: data_shape=8.5"):
        GAN(**models("gan").networks, data_shape=(8.5, 8, 1))
    anything = keras.Sequential([keras.Input((None, None, 2)), keras.layers.Conv2D(1, 1)])
    with pytest.raises(ValueError, match="`data_shape` must be .* Received: data_shape=None"):
        GAN(decoder=anything, discriminator=models("gan").discriminator)


def test_a_class_refuses_arrays_in_the_place_of_names_and_numbers_as_create_does(models):
    for value in (np.zeros(2), tf.zeros(2)):
        with pytest.raises(ValueError, match="Argument `ema` takes no arrays. Received: "):
            GAN(**models("gan").networks, ema=value)
        with pytest.raises(ValueError, match="Argument `ema` takes no arrays. Received: "):
            create("gan", ema=value)


def test_noise_that_a_system_would_not_hand_to_a_network_is_refused():
    noisy = {"noise_dim": 3, "width": 4}
    for name, own in {
        "gan": {"decoder": decoder("mlp", SHAPE, LATENT, **noisy)},
        "wae_gan": {"decoder": decoder("mlp", SHAPE, LATENT, **noisy)},
        "vae": {"encoder": encoder("mlp", SHAPE, 2 * LATENT, **noisy)},
        "mask_aae": {"encoder": encoder("mlp", SHAPE, LATENT, **noisy)},
        "flex_ae": {"encoder": encoder("mlp", SHAPE, LATENT, **noisy)},
    }.items():
        with pytest.raises(ValueError, match=f"Network `{[*own][0]}` must accept inputs of shape .*Received one with"):
            create(name, **own)


@pytest.mark.parametrize("argument", ["prior", "sampling_prior", "posterior", "likelihood"])
def test_a_dictionary_that_is_no_serialised_distribution_is_refused_by_the_arguments_name(argument):
    for wrong, why in [
        ({"class_name": "RealNVP", "config": {"latent_dim": LATENT}}, "Could not locate class 'RealNVP'"),
        ({"class_name": "RealNVP", "config": 3}, "'config'"),
        ({"module": "os", "class_name": "system", "config": {}}, "Could not locate class 'system'"),
        ({"a": 1}, "must be one of"),
    ]:
        with pytest.raises(ValueError, match=f"`{argument}` must be .*Received: {argument}=.*") as error:
            create("vae", **{argument: wrong})
        assert why in str(error.value) and "\n" not in str(error.value)


def test_what_a_serialised_prior_refuses_is_said_in_one_line_with_the_arguments_name():
    given = keras.saving.serialize_keras_object(ki.distributions.RealNVP(LATENT, depth=2, width=4))
    for change, why in [({"depth": "x"}, "`depth` must be an integer >= 1"), ({"dept": 1}, "arguments.*dept")]:
        wrong = {**given, "config": {**given["config"], **change}}
        with pytest.raises(ValueError, match=f"`prior` must be a `Prior` as .*{why}") as error:
            create("vae", prior=wrong)
        assert "\n" not in str(error.value)
    assert type(create("vae", prior=given).prior).__name__ == "RealNVP"


BAD_ARGUMENTS = [
    (
        "ijae",
        {"posterior": "diagonal", "prior": "uniform"},
        "`prior` must have a density wherever codes of DiagonalGaussian are.*Received: Uniform",
    ),
    ("flex_ae", {"noise_dim": 1.5}, "`noise_dim` must be an integer >= 1. Received: noise_dim=1.5"),
    (
        "gan",
        {"networks": {"roles": {"discriminatr": {}}}},
        "`networks` has options of the unknown role 'discriminatr'. Did you mean 'discriminator'",
    ),
    ("ijae", {"lam": 1.5}, r"`lam` must be in \[0, 1\]. Received: lam=1.5"),
    ("ijae", {"lam": -0.1}, r"`lam` must be in \[0, 1\]. Received: lam=-0.1"),
    ("ijae", {"lam": float("nan")}, r"`lam` must be in \[0, 1\]. Received: lam=nan"),
    ("ijae", {"lam": "abc"}, r"`lam` must be in \[0, 1\]. Received: lam='abc'"),
    ("ijae", {"lam": True}, r"`lam` must be in \[0, 1\]. Received: lam=True"),
    ("ijae", {"r1_weight": -1.0}, "`r1_weight` must be a finite number >= 0. Received: r1_weight=-1.0"),
    (
        "ijae",
        {"discriminator_steps": 0},
        "`discriminator_steps` must be an integer >= 1. Received: discriminator_steps=0",
    ),
    ("ijae", {"likelihood": "learned_gaussian"}, "`likelihood` must be symmetric.*fixed scale. Received"),
    ("ijae", {"likelihood": "bernoulli"}, "`likelihood` must be symmetric"),
    ("ijae", {"posterior": "diagnal"}, "`posterior` must be one of .*'diagonal'.*Received: posterior='diagnal'"),
    ("vae", {"beta": -1.0}, "`beta` must be a finite number >= 0. Received: beta=-1.0"),
    ("vae", {"likelihood": "gausian"}, "`likelihood` must be one of .*'gaussian'.*Received: likelihood='gausian'"),
    ("vae", {"likelihood": "cyclic_shift"}, "`likelihood`.*density"),
    (
        "gan",
        {"objective": "wasserstein"},
        "`objective` must be one of 'minimax', 'non_saturating', 'log_ratio', 'tfgan:.*objective='wasserstein'",
    ),
    ("gan", {"prior": "gaussian"}, "`prior` must be one of .*'normal'.*Received: prior='gaussian'"),
    ("gan", {"ema": 1.0}, r"`ema` must be in \[0, 1\), or None or 'auto'. Received: ema=1.0"),
    (
        "alpha_gan",
        {"objective": "minimax"},
        "`objective` must be one of 'log_ratio', 'non_saturating', .*Received: objective='minimax'",
    ),
    (
        "alpha_gan",
        {"l1_mean_weight": -2.0},
        "`l1_mean_weight` must be a finite number >= 0. Received: l1_mean_weight=-2.0",
    ),
    ("svae_r", {"cycle_weight": -1.0}, "`cycle_weight` must be a finite number >= 0. Received: cycle_weight=-1.0"),
    ("svae", {"likelihood": "bernoulli"}, "`likelihood` must be .*have a density. Received: 'bernoulli'"),
    (
        "alice",
        {"cycle": "l2"},
        "`cycle` must be one of 'l1', 'squared', 'likelihood', 'adversarial'. Received: cycle='l2'",
    ),
    ("ali", {"player_steps": 0}, "`player_steps` must be an integer >= 1. Received: player_steps=0"),
    ("wgan", {"clip": 0.0}, "`clip` must be a finite number > 0. Received: clip=0.0"),
    (
        "wgan_gp",
        {"gradient_penalty": -1.0},
        "`gradient_penalty` must be a finite number >= 0. Received: gradient_penalty=-1.0",
    ),
    (
        "wae_gan",
        {"penalty_weight": -0.1},
        "`penalty_weight` must be a finite number >= 0. Received: penalty_weight=-0.1",
    ),
    (
        "wae_mmd",
        {"penalty_weight": float("nan")},
        "`penalty_weight` must be a finite number >= 0. Received: penalty_weight=nan",
    ),
    ("aae", {"prior": "gaussian"}, "`prior` must be one of .*'gmm', .*'mixture', 'normal'.*Received: prior='gaussian'"),
    ("gan", {"lamm": 1}, r"Unknown arguments \['lamm'\] of GAN.*Known: .*objective"),
    ("ijae", {"lamb": 1}, r"Unknown arguments \['lamb'\].*Did you mean 'lam'.*Known: "),
    ("ijea", {}, "Unknown system 'ijea'. Did you mean 'ijae'.*Known: .*vae"),
    (
        "vae",
        {"networks": "resnt"},
        "'auto', 'mlp', 'dcgan', 'resnet'. Received: networks='resnt'. Did you mean 'resnet'",
    ),
    ("vae", {"seed": -0.5}, "`seed` must be an integer from .*Received: seed=-0.5"),
    ("vae", {"seed": 2**70}, "`seed` must be an integer from .*Received: seed=1180591620717411303424"),
    ("vae", {"width": 0}, "`width` must be an integer >= 1. Received: width=0"),
    ("vae", {"width": True}, "`width` must be an integer >= 1. Received: width=True"),
    ("vae", {"warm_up_steps": 1.5}, "`warm_up_steps` must be an integer >= 0. Received: warm_up_steps=1.5"),
    ("ijae", {"spectral": "adam"}, "`spectral` must be True or False. Received: spectral='adam'"),
    ("wgan", {"clip": True}, "`clip` must be a finite number > 0. Received: clip=True"),
    ("wgan", {"slow_start": 3}, "`slow_start` must be True or False. Received: slow_start=3"),
    ("wgan_gp", {"gradient_penalty": 1e30}, r"`gradient_penalty` must be .* >= 0, at most 1e\+12 in size. Received"),
    ("vae", {"data_shape": {8, 9, 1}}, r"`data_shape` must be \(height, width, channels\) or .*Received: \{"),
    ("vae", {"data_shape": (2, 2, 1), "networks": "dcgan"}, "'dcgan' need images of at least 8x8 pixels: use 'mlp'"),
    ("vae", {"data_shape": (2, 2, 1), "networks": "resnet"}, "'resnet' need images of at least 8x8 pixels"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD_ARGUMENTS, ids=str)
def test_bad_arguments_are_named_with_what_was_received(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        ki.create(name, **{"data_shape": SHAPE, "latent_dim": LATENT, "networks": "mlp", "width": 8, **arguments})


def test_images_of_any_size_have_default_networks():
    """Below 16 pixels these are dense, and need no pixels to halve."""
    for shape in ((2, 2, 1), (1, 1, 1)):
        model = ki.create("vae", data_shape=shape, latent_dim=LATENT, width=8)
        assert model.reconstruct(images(3, shape)).shape == (3, *shape)


def test_lambda_zero_warns_that_the_encoder_learns_nothing():
    with pytest.warns(UserWarning, match="lam=0.*encoder.*learns nothing"):
        create("ijae", lam=0.0)


def mlp(kind, *shape, **arguments):
    return kind("mlp", *shape, width=4, **arguments)


def gan(decoder, discriminator, **arguments):
    return GAN(decoder=decoder, discriminator=discriminator, data_shape=SHAPE, **arguments)


def test_networks_that_do_not_fit_are_named_with_both_shapes():
    small, judge = mlp(decoder, (8, 8, 1), 2), mlp(discriminator, {"x": SHAPE})
    with pytest.raises(ValueError, match=r"`decoder` must map \(2,\) to \(8, 8, 1\).*\(9, 8, 1\)"):
        gan(mlp(decoder, (9, 8, 1), 2), judge, latent_dim=2)
    with pytest.raises(ValueError, match=r"`decoder`.*\(3,\).*\(None, 2\)"):
        gan(small, judge, latent_dim=3)
    with pytest.raises(ValueError, match=r"`discriminator`.*\(8, 8, 1\).*\(None, 9, 8, 1\)"):
        gan(small, mlp(discriminator, {"x": (9, 8, 1)}), latent_dim=2)
    with pytest.raises(ValueError, match=r"`encoder` must map \(8, 8, 1\) to \(4,\).*\(2,\)"):
        VAE(encoder=mlp(encoder, SHAPE, 2), decoder=small, data_shape=SHAPE, latent_dim=2)


def test_an_encoder_of_too_few_outputs_is_told_what_they_are_and_where_codes_go():
    flat = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(3)], name="encoder")
    why = r"\(6,\), the parameters of the posterior 'diagonal' of d = 3 dimensions \(2 d: a mean and a raw scale of"
    with pytest.raises(ValueError, match=rf"{why}.*gives \(3,\). Codes themselves .* posterior='deterministic'"):
        ki.create("vae", SHAPE, 3, encoder=flat)
    with pytest.raises(ValueError, match=r"'full' of d = 2 .*the raw triangle of L\). Received one that gives \(3,\)$"):
        ki.create("vae", SHAPE, 2, encoder=flat, posterior="full")


def test_an_encoder_without_noise_is_not_implicit_and_the_error_says_the_remedy():
    joint = {"x": SHAPE, "z": (2,)}
    parts = {
        "encoder": mlp(encoder, SHAPE, 2),
        "decoder": mlp(decoder, SHAPE, 2),
        "discriminator": mlp(discriminator, {"x": SHAPE}),
        "likelihood_discriminator": mlp(discriminator, {**joint, "y": SHAPE}),
        "posterior_discriminator": mlp(discriminator, joint),
    }
    message = r"`posterior`='implicit'.*Give the encoder \[x, noise\] as inputs, or pass posterior='deterministic'"
    with pytest.raises(ValueError, match=message):
        IJAE(**parts)
    noisy = mlp(encoder, SHAPE, 2, noise_dim=2)
    with pytest.raises(ValueError, match="`posterior`='deterministic'.*or pass posterior='implicit'"):
        IJAE(**{**parts, "encoder": noisy}, posterior="deterministic")
    assert IJAE(**parts, posterior="deterministic").code_noise_dim == 0
    del parts["posterior_discriminator"]
    with pytest.raises(ValueError, match="`posterior`='deterministic' needs a `posterior_discriminator`"):
        IJAE(**parts, posterior="deterministic")


def test_optimizers_of_unknown_moves_are_refused():
    with pytest.raises(ValueError, match=r"`optimizer` names unknown moves \['generator'\]. Known: \['decoder', 'disc"):
        create("gan").compile({"generator": "adam"})


def test_fit_needs_compile():
    with pytest.raises(ValueError, match=r"compile\(\)"):
        train(create("gan"))
    with pytest.raises(ValueError, match=r"compile\(\)"):
        create("gan").train_on_batch(images(BATCH))


@pytest.mark.parametrize("method", ["encode", "reconstruct", "interpolate", "export_encoder", "reconstruction_error"])
def test_a_gan_has_no_encoder(models, tmp_path, method):
    arguments = {"interpolate": (images(1), images(1)), "export_encoder": (tmp_path / "e",)}.get(method, (images(1),))
    with pytest.raises(ValueError, match="GAN has no encoder, so it cannot"):
        getattr(models("gan"), method)(*arguments)


def test_samples_are_counted_and_named(models):
    model = models("gan")
    for n in (0, 2.7, None, "a"):
        with pytest.raises(ValueError, match=f"`n` must be an integer >= 1. Received: n={n!r}"):
            model.sample(n)
    for seed in (2**31, None, 0.5):
        with pytest.raises(ValueError, match=f"`seed` must be an integer from -2147483648 to .* Received: seed={seed}"):
            model.sample(1, seed=seed)
    with pytest.raises(ValueError, match="`observation` must be one of 'mean', 'draw'. Received: observation='median'"):
        model.sample(1, observation="median")
    with pytest.raises(ValueError, match=r"`z` must have shape \(batch, 2\). Received: shape \(3, 5\)"):
        model.decode(np.zeros((3, 5), "float32"))
    for steps in (1, 2.5, None):
        with pytest.raises(ValueError, match=f"`steps` must be an integer >= 2. Received: steps={steps}"):
            models("vae").interpolate(images(1), images(1), steps=steps)
    with pytest.raises(ValueError, match="`a` and `b` must have equal numbers of rows. Received: 1 and 2"):
        models("vae").interpolate(images(1), images(2))


NO_ARRAYS = {
    "nothing": None,
    "ragged": tf.ragged.constant([[0.0, 1.0], [2.0]]),
    "sparse": tf.sparse.from_dense(np.eye(LATENT, dtype="float32")),
    "symbolic": keras.Input((LATENT,)),
}


@pytest.mark.parametrize("kind", NO_ARRAYS)
def test_what_is_no_array_is_refused_by_every_method(models, kind):
    model, given, x = models("vae"), NO_ARRAYS[kind], images(2)
    calls = [("z", model.decode), ("data", lambda data: model.fit_prior(data, "normal"))]
    takes_x = (model.encode, model.reconstruct, model.elbo, model.importance_weighted_bound, model.posterior)
    for name, call in [*calls, *(("x", method) for method in takes_x), ("x", lambda b: model.interpolate(x, b))]:
        with pytest.raises(ValueError, match=f"Argument `{name}`"):
            call(given)
    for call in (lambda: ki.metrics.psnr(x, given), lambda: ki.metrics.frechet_distance(np.eye(2), given)):
        with pytest.raises(ValueError, match="Argument `"):
            call()


def test_numbers_in_the_place_of_counts_and_paths_are_named(models):
    model, x = models("vae"), images(2)
    with pytest.raises(ValueError, match="`chunk` must be an integer >= 1. Received: chunk=1.5"):
        model.importance_weighted_bound(x, chunk=1.5)
    for call in (lambda: model.export(0), lambda: model.export_encoder(0)):
        with pytest.raises(ValueError, match="`path` must be a path. Received: path=0"):
            call()
    with pytest.raises(ValueError, match="`heads` must be a path. Received: heads=1.5"):
        ki.metrics.lpips(x, x, heads=1.5)


def test_corrupt_and_foreign_files_are_named(tmp_path, models):
    good = tmp_path / "good.keras"
    models("gan").save(good)
    cut, text, foreign = (tmp_path / f"{name}.keras" for name in ("cut", "text", "foreign"))
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    text.write_text("not a model")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(foreign)
    for path in (cut, text, foreign, tmp_path / "missing.keras"):
        with pytest.raises(ValueError, match=f"`path` must be a .keras file of this package.*Received: .*{path.name}"):
            ki.load_model(path)
    assert isinstance(ki.load_model(good), GAN)


def test_an_output_directory_that_cannot_be_written_is_named(tmp_path, models):
    blocked = tmp_path / "file"
    blocked.write_text("kept")
    with pytest.raises(OSError, match="file"):
        models("gan").export(blocked / "saved")
    with pytest.raises(OSError, match="file"):
        models("vae").export_encoder(blocked)
    assert blocked.read_text() == "kept" and os.listdir(tmp_path) == ["file"]


def test_a_typo_in_a_dataset_shows_the_closest_names():
    with pytest.raises(ValueError, match="Received: name='digts'.*Did you mean 'digits'"):
        ki.datasets.load("digts")


# Later in the stream ----------------------------------------------------------------------------------------------


def stream(bad, at, steps=8):
    """Batches of which number `at`, from 1, is replaced by `bad`."""
    return tf.data.Dataset.from_tensor_slices(
        np.stack([bad if step == at else images(BATCH) for step in range(1, steps + 1)])
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (broken(np.nan), "step 5: .*NaN or infinite values in the data"),
        (broken(np.inf), "step 5: .*NaN or infinite values in the data"),
        (images(BATCH) * 255, r"step 5: 'images outside \[0, 1\]'"),
    ],
    ids=["NaN", "infinite", "range"],
)
def test_bad_data_later_stop_training_with_the_step(in_graph, bad, message):
    with pytest.raises(TrainingError, match=message):
        in_graph.fit(stream(bad, 5), verbose=0)


@pytest.mark.parametrize("system", [("vae", {}), ("mask_aae", {"reconstruction": "cross_entropy"})], ids=lambda s: s[0])
def test_vectors_outside_of_a_likelihoods_range_later_are_found_in_training_and_in_evaluation(system):
    name, arguments = system
    model = ki.create(name, (3,), 2, networks="mlp", width=4, **arguments)
    model.compile(run_eagerly=True)
    x = np.zeros((64, 3), "float32")
    x[40] = 5
    assert model.evaluate(x[:32], batch_size=16, verbose=0)
    with pytest.raises(ValueError, match=r"data outside \[0, 1\] in the batch from row 33 on"):
        model.evaluate(x, batch_size=16, verbose=0)
    assert model.evaluate(x[:32], batch_size=16, verbose=0)
    with pytest.raises(TrainingError, match=r"step 3: 'data outside \[0, 1\]'.*Mend such data or leave them out"):
        model.fit(x, batch_size=16, shuffle=False, verbose=0)


def test_bad_images_later_are_found_in_validation(in_graph):
    with pytest.raises(ValueError, match=r"`validation_data` does not fit.*images outside \[0, 1\] in the batch"):
        in_graph.fit(dataset(), validation_data=stream(images(BATCH) * 255, 2, 3), verbose=0)


@pytest.fixture
def in_graph():
    return compiled("vae")


def test_validation_hides_no_bad_step(in_graph):
    with pytest.raises(TrainingError, match="step 3: .*NaN or infinite values in the data"):
        in_graph.fit(stream(broken(np.nan), 3, 4), validation_data=dataset(), verbose=0)


def test_a_long_epoch_is_not_waited_for(in_graph):
    with pytest.raises(TrainingError, match="step 5"):
        in_graph.fit(stream(broken(np.nan), 5).concatenate(stream(None, 0).repeat()), steps_per_epoch=10_000, verbose=0)
    assert int(in_graph.steps.numpy()) < 100


class Blast(keras.callbacks.Callback):
    """Makes a loss NaN from the epoch `epoch` on."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.beta.assign(np.nan)


@pytest.fixture(scope="module")
def after_two_epochs():
    """Weights of a model that nothing went wrong with."""
    model = compiled("vae")
    train(model, epochs=2)
    return weights(model)


def test_a_loss_that_becomes_nan_is_named_and_the_last_good_weights_stay(tmp_path, in_graph, after_two_epochs):
    backup = lambda: keras.callbacks.BackupAndRestore(tmp_path / "backup")  # noqa: E731
    with pytest.raises(TrainingError, match="step 9: .*'auto_encoder_loss'"):
        train(in_graph, epochs=4, callbacks=[Blast(2), backup()])
    restored = compiled("vae")
    restored.load_weights(tmp_path / "backup" / "latest.weights.h5")
    same(after_two_epochs, weights(restored))


@pytest.mark.slow
def test_a_run_directory_keeps_the_last_good_state(tmp_path, in_graph, after_two_epochs):
    with pytest.raises(TrainingError):
        train(in_graph, epochs=4, callbacks=[Blast(2), ki.training.Backup(tmp_path)], validation_data=dataset())
    restored = compiled("vae")
    restored.load_weights(next(tmp_path.glob("epoch-0002-step-00000000-*.weights.h5")))
    same(after_two_epochs, weights(restored))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "every", "kept"),
    [
        (0, None, ""),
        (1, None, "Weights saved before that step, if any, are good. "),
        (1, 2, ""),
        (2, 2, "The backup after 2 epochs in {} is good. "),
    ],
)
def test_the_message_advises_and_names_good_weights_only_where_there_are_some(tmp_path, in_graph, bad, every, kept):
    backups = [] if every is None else [ki.training.Backup(tmp_path, every)]
    with pytest.raises(TrainingError) as error:
        train(in_graph, epochs=4, callbacks=[Blast(bad), *backups])
    said = str(error.value).partition("'beta'. ")[2]
    assert said == kept.format(tmp_path) + "A lower learning rate, a penalty on the discriminators or clipping may help"


def test_a_training_error_is_a_runtime_error():
    assert issubclass(TrainingError, RuntimeError)


def test_a_data_set_in_the_place_of_an_array_says_what_takes_data_sets():
    with pytest.raises(ValueError, match="`x` must be an array or tensor of images. For data sets there is `predict`"):
        create("vae").encode(dataset())

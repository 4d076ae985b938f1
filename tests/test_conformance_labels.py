"""Conditional systems: labels reach the networks that take them, row by row, in all forms, and what serves them."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import BATCH, CONDITIONAL, LATENT, SHAPE, SYSTEMS, create, images, quick, same, values_of, weights
from systems import CLASSES as ONE_OF_EACH_CLASS

import keras_ijae as ki
from keras_ijae.replicas import Share

CLASSES = 3
OTHERS = [name for name in SYSTEMS if name not in CONDITIONAL]
EACH = [name for name in CONDITIONAL if name in ONE_OF_EACH_CLASS]
OFTEN = ("gan", "ijae")
X, Y = images(2 * BATCH), (np.arange(2 * BATCH) % CLASSES).astype("int64")


def conditional(name, how=None, **arguments):
    model = create(name, classes=CLASSES, **arguments)
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.5), **({"run_eagerly": True} if how is None else how))
    return model


def pairs(x=X, y=Y, batch=BATCH):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch)


def stepped(model, data=None):
    """All weights after a pass over the data."""
    model.fit(pairs() if data is None else data, verbose=0)
    return weights(model)


def test_they_are_the_systems_for_which_labels_are_sound():
    asked = "gan wgan wgan_gp vae beta_vae alpha_gan ijae svae svae_r ali bigan alice aae wae_gan"
    assert set(CONDITIONAL) >= set(asked.split())


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_say_why_not(name):
    with pytest.raises(ValueError, match=r"`classes` is not taken by \w+: .*codes.*Received: 3"):
        ki.create(name, data_shape=SHAPE, latent_dim=LATENT, width=8, classes=3)


@pytest.mark.parametrize("name", quick(EACH, OFTEN))
def test_every_network_that_takes_labels_depends_on_them_and_learns(name):
    model = conditional(name)
    before = values_of(model)
    for role in model.ROLES:
        if role.name in model.networks:
            assert model.networks[role.name].inputs[-1].shape[1:] == (CLASSES,)
    stepped(model)
    for role, found in values_of(model).items():
        assert any(not np.array_equal(a, b) for a, b in zip(before[role], found, strict=True)), role
    one, other = (model.sample(4, seed=1, labels=label) for label in (0, 1))
    assert np.abs(one - other).max() > 1e-4
    if model.has_encoder:
        assert np.abs(model.encode(X, labels=0) - model.encode(X, labels=1)).max() > 1e-5


def deaf(network, classes=CLASSES):
    """The network with labels as a further input, which it does not hear."""
    inputs = [keras.Input(tensor.shape[1:]) for tensor in network.inputs]
    outputs = network(inputs if len(inputs) > 1 else inputs[0])
    return keras.Model([*inputs, keras.Input((classes,))], outputs, name=network.name)


@pytest.mark.parametrize("name", quick(EACH, ["vae"]))
def test_with_networks_that_do_not_hear_labels_a_step_is_that_of_the_unconditional_system(name):
    plain = create(name)
    networks = {role: deaf(network) for role, network in create(name).networks.items()}
    model = create(name, classes=CLASSES, **networks)
    for game in (plain, model):
        game.compile(optimizer=keras.optimizers.SGD(0.05), run_eagerly=True)
    plain.fit(X, batch_size=BATCH, shuffle=False, verbose=0), stepped(model)
    left, right = ([value for values in values_of(game).values() for value in values] for game in (plain, model))
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


@keras.saving.register_keras_serializable("tests")
class Tag(keras.layers.Layer):
    """An image whose pixels all are label / 10."""

    def call(self, labels):
        value = tf.cast(tf.argmax(labels, axis=1), "float32") / 10
        return tf.ones([1, *SHAPE]) * tf.reshape(value, [-1, 1, 1, 1])


@keras.saving.register_keras_serializable("tests")
class Misfit(keras.layers.Layer):
    """-(10 x - label)^2: 0 where the image carries the label that it comes with."""

    def call(self, x, labels):
        label = tf.cast(tf.argmax(labels, axis=1), "float32")
        return -tf.reduce_mean((10 * x - tf.reshape(label, [-1, 1, 1, 1])) ** 2, axis=[1, 2, 3])[:, None]


def labelling():
    """A GAN whose images carry their labels; its critic sees whether rows and labels stay together."""
    x, z, labels = keras.Input(SHAPE), keras.Input((LATENT,)), keras.Input((CLASSES,))
    weight = keras.layers.Dense(1, kernel_initializer="zeros")
    decoder = keras.Model([z, labels], Tag()(labels) + keras.ops.reshape(0 * weight(z), [-1, 1, 1, 1]))
    logit = Misfit()(x, labels) + 0 * keras.layers.Dense(1, kernel_initializer="zeros")(keras.layers.Flatten()(x))
    return ki.models.GAN(
        decoder=decoder,
        discriminator=keras.Model([x, labels], logit),
        data_shape=SHAPE,
        latent_dim=LATENT,
        classes=CLASSES,
        discriminator_steps=2,
        fresh_batches=True,
    )


@pytest.mark.parametrize("replicas", quick([False, True], [False]))
def test_rows_and_labels_stay_together_through_slices_and_replicas(two_replicas, replicas):
    y = np.random.default_rng(0).integers(0, CLASSES, 4 * BATCH)
    x = np.ones((4 * BATCH, *SHAPE), "float32") * y[:, None, None, None].astype("float32") / 10
    with two_replicas.scope() if replicas else tf.distribute.get_strategy().scope():
        model = labelling()
        model.compile(run_eagerly=True)
    logs = model.fit(pairs(x, y, 2 * BATCH), verbose=0).history
    assert logs["discriminator_loss"][0] == pytest.approx(2 * math.log(2), abs=1e-5)
    shuffled = model.fit(pairs(x, np.roll(y, 1), 2 * BATCH), verbose=0).history
    assert shuffled["discriminator_loss"][0] > 1.5
    np.testing.assert_array_equal(model.label_counts.counts.numpy(), 2 * np.bincount(y, minlength=CLASSES))


class Sequence(keras.utils.PyDataset):
    """Batches of images and labels."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[index * BATCH : (index + 1) * BATCH], Y[index * BATCH : (index + 1) * BATCH]


FORMS = {
    "arrays": lambda model: model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0),
    "one-hot": lambda model: stepped(model, pairs(y=np.eye(CLASSES, dtype="float32")[Y])),
    "a column": lambda model: model.fit(X, Y[:, None], batch_size=BATCH, shuffle=False, verbose=0),
    "unsigned": lambda model: stepped(model, pairs(y=Y.astype("uint8"))),
    "dictionaries": lambda model: stepped(
        model, tf.data.Dataset.from_tensor_slices({"image": X, "label": Y}).batch(BATCH)
    ),
    "sequence": lambda model: model.fit(Sequence(), verbose=0),
}


@pytest.mark.slow
def test_all_forms_of_labels_are_one():
    expected = stepped(conditional("vae"))
    for form, fit in FORMS.items():
        model = conditional("vae")
        fit(model)
        same(expected, weights(model)), form


def test_a_model_without_classes_drops_labels():
    model = create("vae")
    model.compile(run_eagerly=True)
    stepped(model)
    assert model.label_counts is None and model.predict(pairs(), verbose=0).shape == X.shape


def test_unknown_labels_train_and_are_not_counted():
    model = conditional("vae")
    stepped(model, pairs(y=np.where(Y == 2, -1, Y)))
    assert model.label_counts.counts.numpy().tolist() == [6, 5, 0]
    assert set(model.sample_labels(50)) == {0, 1}
    assert np.isfinite(model.encode(X, labels=-1)).all()


def test_labels_of_samples_come_as_often_as_in_training():
    model = create("gan", classes=CLASSES)
    uniform = np.bincount(model.sample_labels(9000, seed=1), minlength=3) / 9000
    np.testing.assert_allclose(uniform, 1 / 3, atol=0.015)
    model.label_counts.add(tf.one_hot([0] * 6 + [2] * 2, CLASSES), Share(8))
    drawn = model.sample_labels(9000, seed=1)
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 9000, [0.75, 0, 0.25], atol=0.015)
    np.testing.assert_array_equal(model.sample_labels(7, seed=1), drawn[:7])
    np.testing.assert_array_equal(model.sample(7, seed=1), model.sample(7, 1, model.sample_labels(7, seed=1)))


@pytest.mark.parametrize("name", quick(EACH, ["vae"]))
def test_is_saved_loaded_exported_and_continued_with_its_labels(tmp_path, name):
    model = conditional(name)
    stepped(model, pairs(X[:BATCH], Y[:BATCH]))
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "served")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(9, seed=3), model.sample(9, seed=3))
    module = tf.saved_model.load(tmp_path / "served")
    check_served(model, module.signatures)
    close(module.sample_labels(Y[:5], seed=3), model.sample(5, seed=3, labels=Y[:5]))
    same(stepped(model), stepped(loaded))


def check_served(model, served):
    seed, labels = tf.constant(3), tf.constant(Y[:5], tf.int32)
    found = served["sample"](n=tf.constant(5), seed=seed)
    np.testing.assert_array_equal(found["labels"], model.sample_labels(5, seed=3))
    close(found["observations"], model.sample(5, seed=3))
    close(served["sample_labels"](labels=labels, seed=seed)["observations"], model.sample(5, seed=3, labels=Y[:5]))
    z = served["sample_codes"](n=tf.constant(5), seed=seed)["codes"]
    close(served["decode"](z=z, labels=labels)["observations"], model.decode(z, labels=Y[:5]))
    if model.has_encoder:
        x = tf.constant(X[:5])
        close(served["encode"](x=x, labels=labels)["codes"], model.encode(X[:5], labels=Y[:5]))
        close(served["reconstruct"](x=x, labels=labels)["observations"], model.reconstruct(X[:5], labels=Y[:5]))


def close(left, right):
    np.testing.assert_allclose(left, right, atol=1e-5)


@pytest.fixture(scope="module")
def vae():
    model = conditional("vae")
    stepped(model)
    return model


@pytest.mark.slow
def test_an_exported_encoder_takes_labels_and_is_fine_tuned_as_a_layer(vae, tmp_path):
    vae.export_encoder(tmp_path / "encoder")
    module, labels = tf.saved_model.load(tmp_path / "encoder"), tf.constant(Y, tf.int32)
    close(module([tf.constant(X), labels]), vae.encode(X, labels=Y))
    for x in (X, X.astype("float64")):
        for inputs in ([x, np.array(Y, "int64")], (x, np.array(Y, "int32")), (x, tf.constant(Y, tf.int64))):
            close(module(inputs), vae.encode(X, labels=Y))
            assert module(inputs, training=True).shape == (len(X), LATENT)
    with pytest.raises(ValueError, match="(?s)Got:.*uint8.*Expected.*float32"):
        module([(255 * X).astype("uint8"), labels])
    close(module.signatures["serving_default"](x=tf.constant(X), labels=labels)["codes"], vae.encode(X, labels=Y))
    layer = keras.layers.TFSMLayer(tmp_path / "encoder", call_training_endpoint="serve_training")
    close(layer([tf.constant(X), labels]), vae.encode(X, labels=Y))


def test_labels_come_as_an_argument_with_the_data_or_as_one_for_all_rows(vae):
    codes = vae.encode(X, labels=Y)
    for other in (vae.encode((X, Y)), vae.encode({"image": X, "label": Y}), vae.encode(X, labels=np.eye(3)[Y])):
        np.testing.assert_array_equal(other, codes)
    np.testing.assert_array_equal(vae.decode(codes, labels=1), vae.decode(codes, labels=np.ones(len(X), int)))
    close(vae.predict([X, Y], verbose=0), vae.reconstruct(X, labels=Y))
    close(vae.predict(pairs(), verbose=0), vae.reconstruct(X, labels=Y))
    close(vae.reconstruction_error(X, labels=Y), ((X - vae.reconstruct((X, Y))) ** 2).sum(axis=(1, 2, 3)))
    assert (vae.importance_weighted_bound((X, Y), samples=60) > vae.elbo((X, Y)) - 5).all()
    assert not np.allclose(vae.elbo((X, Y)), vae.elbo(X, labels=np.roll(Y, 1)))
    close(vae.posterior((X, Y)).mean(), codes)


def test_interpolation_keeps_the_first_label_unless_told_otherwise(vae):
    a, b = (X[:3], Y[:3]), (X[3:6], Y[4:7])
    line = vae.interpolate(a, b, steps=4)
    close(line[:, 0], vae.reconstruct(a))
    close(line[:, -1], vae.decode(vae.encode(b), labels=Y[:3]))
    close(vae.interpolate(a, b, steps=4, labels=Y[4:7])[:, -1], vae.reconstruct(b))


@pytest.mark.slow
def test_half_precision_trains_on_labels():
    keras.config.set_dtype_policy("mixed_float16")
    model = conditional("ijae")
    stepped(model)
    assert np.isfinite(model.sample(3)).all() and np.isfinite(model.encode(X, labels=Y)).all()


BAD_DATA = {
    "none": (X, "needs labels: integers.*-1 for unknown.*Received: no labels"),
    "outside": ((X, Y + 1), "in 0..2.*Received: labels from 1 to 3"),
    "below": ((X, Y - 2), "Received: labels from -2 to 0"),
    "fractions": ((X, Y / 2), "Received: float64 of shape"),
    "too many": ((X, np.eye(4)[Y]), r"one-hot rows \(batch, 3\).*of shape \(8, 4\)"),
    "soft": ((X, np.full((len(X), 3), 1 / 3)), "rows that are not one-hot"),
    "several": ((X, {"a": Y, "b": Y}), r"several labels to an example, \['a', 'b'\]: map the data to one"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_labels_that_do_not_fit_are_errors_before_the_first_step(case):
    data, message = BAD_DATA[case]
    model = create("gan", classes=CLASSES)
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        model.fit(tf.data.Dataset.from_tensor_slices(data).batch(BATCH), verbose=0)
    assert int(model.steps) == 0


def test_a_label_outside_in_a_later_batch_stops_training():
    y = Y.copy()
    y[-1] = 7
    model = conditional("gan", {})
    with pytest.raises(ki.models.TrainingError, match=r"step 2: 'labels outside -1\.\.2'\. .* largest as `classes`"):
        stepped(model, pairs(y=y))


@pytest.mark.slow
@pytest.mark.parametrize("row", [[0.5, 0.5, 0.0], [1.0, 1.0, 0.0]])
def test_rows_that_are_not_one_hot_in_a_later_batch_stop_training(row):
    y = np.eye(CLASSES)[Y]
    y[-1] = row
    model = conditional("gan", {})
    with pytest.raises(ki.models.TrainingError, match="step 2: 'labels that are not one-hot'"):
        stepped(model, pairs(y=y))


def test_all_labels_of_an_array_are_looked_at_before_the_first_step():
    y = Y.copy()
    y[-1] = 7
    model = conditional("gan")
    for data in ({"x": X, "y": y}, {"x": X, "y": Y, "validation_data": (X, y)}):
        with pytest.raises(ValueError, match="Received: labels from 0 to 7"):
            model.fit(**data, batch_size=BATCH, verbose=0)
    assert int(model.steps) == 0


@pytest.mark.parametrize("classes", [1, 0, -3, 2.5, "3", True])
def test_classes_are_a_whole_number_from_two(classes):
    with pytest.raises(ValueError, match="`classes` must be"):
        ki.create("gan", data_shape=SHAPE, latent_dim=LATENT, width=8, classes=classes)


def test_labels_where_none_are_wanted_or_none_are_given_say_the_remedy(vae):
    plain = create("vae")
    for call in (lambda: plain.encode(X, labels=Y), lambda: plain.sample(3, labels=1)):
        with pytest.raises(ValueError, match="`labels` is not taken.*Create it with `classes`"):
            call()
    with pytest.raises(ValueError, match="takes no labels: create it with `classes`"):
        plain.sample_labels(3)
    for call in (lambda: vae.encode(X), lambda: vae.decode(np.zeros((2, LATENT), "float32")), lambda: vae.predict(X)):
        with pytest.raises(ValueError, match="needs labels"):
            call()
    with pytest.raises(ValueError, match="as many as there are rows: 16. Received: 3"):
        vae.encode(X, labels=[0, 1, 2])
    with pytest.raises(ValueError, match="Received: labels from 5 to 5"):
        vae.sample(3, labels=5)


def test_no_density_is_fitted_to_the_codes_of_all_labels(vae):
    for prior in ("gmm", None):
        with pytest.raises(ValueError, match="cannot be fitted to the codes of a conditional model"):
            vae.fit_prior(pairs(), prior)
    with pytest.raises(ValueError, match="its prior, GaussianMixture, is one density for the codes of all labels"):
        create("aae", classes=3, prior="gmm")


def test_networks_without_labels_do_not_fit_a_conditional_system():
    networks = create("gan").networks
    with pytest.raises(ValueError, match=r"`discriminator` must accept inputs of shape \(8, 8, 1\) and \(3,\)"):
        ki.models.GAN(**networks | {"decoder": deaf(networks["decoder"])}, classes=3)


@pytest.mark.slow
def test_a_conditional_vae_learns_where_each_class_is():
    rng, y = np.random.default_rng(0), np.arange(600) % CLASSES
    centres = np.array([[-2.0, 0], [2, 1], [0, -2]], "float32")
    x = centres[y] + 0.3 * rng.normal(size=(600, 2)).astype("float32")
    model = ki.create("vae", (2,), 2, width=16, classes=CLASSES, likelihood="learned_gaussian")
    model.compile(optimizer=keras.optimizers.Adam(5e-3), steps_per_execution=10)
    model.fit(x, y, batch_size=60, epochs=30, verbose=0)
    for label, centre in enumerate(centres):
        np.testing.assert_allclose(model.sample(300, labels=label).mean(axis=0), centre, atol=0.3)

"""Exported models serve in a process without this package and Keras; exported encoders are reused and fine-tuned."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import CLASSES, LATENT, SHAPE, VARIANTS, WITH_ENCODER, codes_of_samples, compiled, images, quick, train

from keras_ijae.layers import Dropout

BLOCKED = """
import importlib.machinery
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras", "keras_ijae", "tf_keras", "tensorflow_probability"):
            return importlib.machinery.ModuleSpec(name, self)  # TensorFlow looks for Keras when it is imported

    def create_module(self, spec):
        raise ImportError(f"{spec.name} is blocked")

sys.meta_path.insert(0, Blocked())
"""

SERVE = """
import pathlib
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
given = np.load(folder / "given.npz")
for path in sorted(path for path in folder.iterdir() if path.is_dir()):
    served, found = tf.saved_model.load(str(path)).signatures, {}
    seed, n = tf.constant(5), tf.constant
    assert set(sys.modules) & {"keras", "keras_ijae", "tf_keras", "tensorflow_probability"} == set()
    for rows in (1, 3, 600):
        found[f"codes {rows}"] = served["sample_codes"](n=n(rows), seed=seed)["codes"]
        found[f"sample {rows}"] = served["sample"](n=n(rows), seed=seed)["observations"]
    found["default"] = served["serving_default"](n=n(3), seed=seed)["observations"]
    found["decode"] = served["decode"](z=tf.constant(given["z"]))["observations"]
    if "encode" in served:
        for rows in (1, 3):
            found[f"encode {rows}"] = served["encode"](x=tf.constant(given["x"][:rows]))["codes"]
            found[f"reconstruct {rows}"] = served["reconstruct"](x=tf.constant(given["x"][:rows]))["observations"]
    np.savez(folder / f"{path.name}.npz", **{name: tensor.numpy() for name, tensor in found.items()})
"""


def fitted(name, **arguments):
    model = compiled(name, {"run_eagerly": True, "optimizer": keras.optimizers.SGD(0.01)}, **arguments)
    train(model)
    return model


@pytest.mark.slow
def test_serves_without_this_package_and_keras(tmp_path):
    x, z = images(3), images(4, (LATENT,))
    models = {name: fitted(name) for name in CLASSES}
    for name, model in models.items():
        model.export(tmp_path / name)
    np.savez(tmp_path / "given.npz", x=x, z=z)
    subprocess.run([sys.executable, "-c", BLOCKED + SERVE, str(tmp_path)], check=True)
    for name, model in models.items():
        check_served(name, model, np.load(tmp_path / f"{name}.npz"), x, z)


def check_served(name, model, found, x, z):
    """Codes of samples bit for bit, everything else within rounding."""
    codes = codes_of_samples(model, 600, 5)
    for rows in (1, 3, 600):
        np.testing.assert_array_equal(found[f"codes {rows}"], codes[:rows], err_msg=name)
        np.testing.assert_allclose(found[f"sample {rows}"], model.sample(rows, seed=5), atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(found["default"], found["sample 3"], err_msg=name)
    np.testing.assert_allclose(found["decode"], model.decode(z), atol=1e-5, err_msg=name)
    assert ("encode 1" in found) == model.has_encoder
    for rows in (1, 3) if model.has_encoder else ():
        np.testing.assert_allclose(found[f"encode {rows}"], model.encode(x[:rows]), atol=1e-5, err_msg=name)
        np.testing.assert_allclose(found[f"reconstruct {rows}"], model.reconstruct(x[:rows]), atol=1e-5, err_msg=name)


# One of each class, and one whose posterior has weights: an IAF.
ENCODERS = {name: {} for name in CLASSES if name in WITH_ENCODER} | {"flow_vae": VARIANTS["flow_vae"][2]}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    """name -> (model with batch normalisation, its exported encoder)."""
    folder, made = tmp_path_factory.mktemp("encoders"), {}

    def export(name):
        if name not in made:
            model = fitted(name, norm="batch", **ENCODERS[name])
            model.export_encoder(folder / name)
            made[name] = model, str(folder / name)
        return made[name]

    return export


@pytest.mark.parametrize("name", quick(list(ENCODERS), ["vae"]))
def test_an_exported_encoder_gives_the_codes_and_is_whole(encoders, name):
    model, path = encoders(name)
    module, x = tf.saved_model.load(path), images(5)
    np.testing.assert_allclose(module(tf.constant(x)).numpy(), model.encode(x), atol=1e-5)
    np.testing.assert_allclose(module(x.astype("float64")).numpy(), model.encode(x), atol=1e-5)
    np.testing.assert_allclose(module(tf.constant(x[:1]), training=False).numpy(), model.encode(x[:1]), atol=1e-5)
    assert len(module.trainable_variables) == sum(len(coder.trainable_variables) for coder in model.coders)
    assert len(module.variables) == sum(len(coder.variables) for coder in model.coders)


def hub_load(path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tensorflow_hub needs pkg_resources, which warns
        import tensorflow_hub
    return tensorflow_hub.load(path)


LABELS = (images().mean((1, 2, 3)) > 0.5).astype("float32")[:, None]


def cross_entropy(logits):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(LABELS, logits))


def descend(loss, variables, steps=40):
    """The losses along some steps of gradient descent."""
    found = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            found.append(value := loss())
        gradients = tape.gradient(value, variables)
        assert all(gradient is not None for gradient in gradients)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)
    return [float(value) for value in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "load"), [("ijae", tf.saved_model.load), ("vae", hub_load)], ids=["ijae", "vae by hub"]
)
def test_an_encoder_is_probed_and_fine_tuned(encoders, name, load):
    _, path = encoders(name)
    module, x = load(path), tf.constant(images())
    head = [tf.Variable(tf.zeros([LATENT, 1])), tf.Variable(tf.zeros([1]))]
    before = [variable.numpy() for variable in module.variables]
    codes = module(x)
    probe = descend(lambda: cross_entropy(codes @ head[0] + head[1]), head)
    assert probe[-1] < probe[0]
    for variable, value in zip(module.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    tuned = descend(
        lambda: cross_entropy(module(x, training=True) @ head[0] + head[1]), [*module.trainable_variables, *head]
    )
    assert tuned[-1] < probe[-1]
    statistics = {id(v) for v in module.variables} - {id(v) for v in module.trainable_variables}
    changed = [
        id(v) in statistics
        for v, value in zip(module.variables, before, strict=True)
        if not np.array_equal(v.numpy(), value)
    ]
    assert any(changed) and not all(changed)


@pytest.mark.slow
def test_an_encoder_is_a_layer_of_a_keras_model(encoders):
    model, path = encoders("ijae")
    layer = keras.layers.TFSMLayer(path, call_training_endpoint="serve_training")
    x = images()
    classifier = keras.Sequential([keras.Input(SHAPE), layer, keras.layers.Dense(1)])
    np.testing.assert_allclose(layer(x).numpy(), model.encode(x), atol=1e-5)
    classifier.compile(keras.optimizers.SGD(0.1), keras.losses.BinaryCrossentropy(from_logits=True))
    assert len(classifier.trainable_variables) == len(model.encoder.trainable_variables) + 2
    before = [variable.numpy() for variable in layer.trainable_variables]
    history = classifier.fit(x, LABELS, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert any(not np.array_equal(v.numpy(), old) for v, old in zip(layer.trainable_variables, before, strict=True))


@pytest.mark.parametrize(
    "layer", [keras.layers.Dropout, keras.layers.GaussianNoise, Dropout], ids=lambda kind: kind.__module__
)
def test_an_encoder_with_noise_of_its_own_is_exported_and_draws_it_anew_in_each_call_in_training(tmp_path, layer):
    layers = [keras.layers.Flatten(), layer(0.5), keras.layers.Dense(LATENT)]
    model = compiled("ae", {"run_eagerly": True}, encoder=keras.Sequential([keras.Input(SHAPE), *layers]))
    model.export_encoder(tmp_path / "encoder")
    module, x = tf.saved_model.load(str(tmp_path / "encoder")), images(5)
    np.testing.assert_allclose(module(tf.constant(x)).numpy(), model.encode(x), atol=1e-5)
    found = [module(tf.constant(x), training=True).numpy() for _ in range(3)]
    assert len({codes.tobytes() for codes in found}) == 3


def test_an_export_replaces_nothing_unasked(tmp_path):
    model = fitted("gan")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "precious").write_text("kept")
    with pytest.raises(FileExistsError, match="here.*overwrite=True"):
        model.export(tmp_path / "here")
    with pytest.raises(FileExistsError, match="`path` is no earlier export: .*here holds something else"):
        model.export(tmp_path / "here", overwrite=True)
    assert (tmp_path / "here" / "precious").read_text() == "kept"
    (tmp_path / "here" / "precious").unlink()
    model.export(tmp_path / "here")  # it is empty
    (tmp_path / "here" / "old").touch()
    model.export(tmp_path / "here", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]
    assert (tmp_path / "here" / "saved_model.pb").is_file() and not (tmp_path / "here" / "old").exists()

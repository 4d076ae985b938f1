"""The SavedModel as a module, through TensorFlow's own command, and as the page on serving says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from systems import LATENT, SHAPE, create, images

import keras_ijae as ki
from keras_ijae.training import Recipe

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "serving.md").read_text(encoding="utf-8")
LABELS = np.array([2, 0, 1, -1])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A model, its export and where that is."""
    return exported("ijae", tmp_path_factory)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    return exported("vae", tmp_path_factory, classes=3)


def exported(name, tmp_path_factory, **arguments):
    model, path = create(name, **arguments), tmp_path_factory.mktemp(name) / "1"
    model.export(path, about={"dataset": "digits"})
    return model, tf.saved_model.load(path), path


def same(found, wanted):
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_a_loaded_export_has_the_methods_of_the_model(plain):
    model, module, _ = plain
    x, z = images(3), images(4, (LATENT,))
    same(module.sample(5), model.sample(5, seed=0))
    same(module.sample(16, seed=7), model.sample(16, seed=7))
    same(module.sample(n=1, seed=np.int64(7)), model.sample(1, seed=7))
    same(module.encode(x), model.encode(x))
    same(module.encode(x.astype("float64")[:1]), model.encode(x[:1]))
    same(module.decode(z.tolist()), model.decode(z))
    same(module.reconstruct(x=x), model.reconstruct(x))


def test_a_loaded_conditional_export_takes_labels_as_the_model_does(conditional):
    model, module, _ = conditional
    x, z = images(4), images(4, (LATENT,))
    same(module.sample(6, seed=3), model.sample(6, seed=3))
    same(module.sample(6, seed=3, labels=2), model.sample(6, seed=3, labels=2))
    same(module.sample(4, labels=LABELS), model.sample(4, labels=LABELS))
    same(module.encode(x, labels=LABELS), model.encode(x, labels=LABELS))
    same(module.decode(z, labels=1), model.decode(z, labels=1))
    same(module.reconstruct(x, LABELS.tolist()), model.reconstruct(x, labels=LABELS))


@pytest.mark.parametrize("name", ["encode", "reconstruct"])
def test_a_loaded_export_refuses_images_that_the_model_refuses(plain, conditional, name):
    integers = (255 * images(3)).astype("uint8")
    for (_, module, _), labels in ((plain, {}), (conditional, {"labels": 1})):
        for wrong in (integers, integers.astype("float32"), images(3) - 0.5, np.full((1, *SHAPE), np.nan)):
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"`x` must be images in \[0, 1\]. Divide uint8"):
                getattr(module, name)(wrong, **labels)


def test_a_loaded_export_takes_vectors_of_any_range(tmp_path):
    model = ki.create("ae", (3,), LATENT, width=4)
    model.export(tmp_path / "1")
    module, x = tf.saved_model.load(tmp_path / "1"), 5 * images(4, (3,)) - 9
    same(module.encode(x), model.encode(x))


def test_a_system_without_an_encoder_has_no_functions_of_one(tmp_path):
    create("gan").export(tmp_path / "1")
    module = tf.saved_model.load(tmp_path / "1")
    assert module.sample(2).shape == (2, *SHAPE)
    assert not any(hasattr(module, name) for name in ("encode", "reconstruct"))


# The page ----------------------------------------------------------------------------------------------------------

BODIES = [json.loads(body) for body in re.findall(r"```json\n(\{\"signature_name.*?)```", PAGE, re.DOTALL)]
COMMANDS = [shlex.split(line) for line in re.findall(r"^saved_model_cli (run .*)$", PAGE, re.M)]


def test_codes_in_the_page_have_the_size_that_those_of_runs_have():
    (size,) = re.findall(r"standard_normal\(\(\d+, (\d+)\)", PAGE)
    assert int(size) == Recipe(system="vae", dataset="digits").latent_dim


def of_page(value):
    """`...` of the page stands for an observation or a code."""
    return {"x": images(1), "z": images(1, (LATENT,))}[value] if value in ("x", "z") else value


def test_the_page_has_a_body_for_every_signature(plain, conditional):
    known = {*plain[1].signatures, *conditional[1].signatures} - {"serving_default"}
    assert {body["signature_name"] for body in BODIES} == known


@pytest.mark.parametrize("body", BODIES, ids=[body["signature_name"] for body in BODIES])
def test_the_bodies_of_the_page_are_what_the_signatures_take(body, plain, conditional):
    labelled = "labels" in body["inputs"]
    signature = (conditional if labelled else plain)[1].signatures[body["signature_name"]]
    _, specs = signature.structured_input_signature
    assert body["inputs"].keys() == specs.keys()
    given = {name: tf.constant(of_page(value), specs[name].dtype) for name, value in body["inputs"].items()}
    assert signature(**given)


RUN = """
import shlex, sys
from absl import flags
from tensorflow.python.tools import saved_model_cli

for line in sys.stdin.read().splitlines():
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    flags.FLAGS(["saved_model_cli", *shlex.split(line)])
    saved_model_cli.run()
"""
"""What the command does, for several lines in one process: starting TensorFlow takes longer than all of them."""


@pytest.mark.slow
def test_tensorflows_own_command_runs_the_signatures_as_the_page_says(plain, conditional, tmp_path):
    given = {"x": images(3), "z": images(3, (LATENT,)), "labels": np.array([1, 2, 2], "int32")}
    for name, value in given.items():
        np.save(tmp_path / f"{name}.npy", value)
    places = {f"{name}.npy": str(tmp_path / f"{name}.npy") for name in given}
    places |= {"served/digits/1": str(plain[2]), "served/cvae/1": str(conditional[2])}
    pattern, lines = "|".join(map(re.escape, places)), []
    for number, command in enumerate(COMMANDS):
        words = [re.sub(pattern, lambda found: places[found[0]], word) for word in command]
        lines.append(shlex.join([*words, "--outdir", str(tmp_path / str(number))]))
    done = subprocess.run([sys.executable, "-c", RUN], input="\n".join(lines), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = wanted_of(plain[0], conditional[0], **given)
    ran = [(command[2], command[command.index("--signature_def") + 1]) for command in COMMANDS]
    assert sorted(ran) == sorted(wanted)
    for number, name in enumerate(ran):
        output, value = wanted[name]
        np.testing.assert_allclose(np.load(tmp_path / str(number) / f"{output}.npy"), value, atol=1e-5, err_msg=name)


def wanted_of(plain, conditional, x, z, labels):
    """(directory in the page, signature) -> an output and what the model itself gives."""
    return {
        ("served/digits/1", "sample"): ("observations", plain.sample(16, seed=7)),
        ("served/digits/1", "sample_codes"): ("codes", plain.endpoints.codes_of_samples(16, 7).numpy()),
        ("served/digits/1", "encode"): ("codes", plain.encode(x)),
        ("served/digits/1", "decode"): ("observations", plain.decode(z)),
        ("served/digits/1", "reconstruct"): ("observations", plain.reconstruct(x)),
        ("served/cvae/1", "sample_labels"): ("observations", conditional.sample(3, seed=7, labels=[2, 0, 1])),
        ("served/cvae/1", "encode"): ("codes", conditional.encode(x, labels=labels)),
        ("served/cvae/1", "decode"): ("observations", conditional.decode(z, labels=labels)),
        ("served/cvae/1", "reconstruct"): ("observations", conditional.reconstruct(x, labels=labels)),
    }


def test_what_is_exported_says_what_it_is(plain):
    found = ki.training.info(plain[2])
    assert (found["kind"], found["system"], found["dataset"]) == ("savedmodel", "ijae", "digits")
    assert (tuple(found["data_shape"]), found["latent_dim"], found["classes"]) == (SHAPE, LATENT, None)
    assert set(found["functions"]) == set(plain[1].signatures) - {"serving_default"}

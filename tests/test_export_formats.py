"""ONNX and TFLite give the model's numbers in their own runtimes, or say what they cannot hold."""

import os
import sys

import keras
import numpy as np
import pytest
from systems import LATENT, SHAPE, create, images
from systems import SYSTEMS as EVERY

import keras_ijae as ki

FORMATS = ("onnx", "tflite")
X, Z = images(3), images(5, (LATENT,))
LABELS = np.array([2, 0, -1, 1, 2], "int32")


def run(format, path, name, feeds):
    """A function of an exported model in the format's own runtime: its one output."""
    if format == "onnx":
        import onnxruntime

        (found,) = onnxruntime.InferenceSession(path / f"{name}.onnx").run(None, feeds)
        return found
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path / "model.tflite")).get_signature_runner(name)
    (found,) = runner(**feeds).values()
    return found


def check(format, model, path):
    """All functions give the model's numbers, for several rows and for one."""
    model.export(path, format=format)
    for rows in (3, 1):
        labels = {} if model.classes is None else {"labels": LABELS[:rows]}
        noise = np.zeros((rows, model.decoder_noise_dim), "float32")
        feeds = {"decode": {"z": Z[:rows], **({"noise": noise} if model.decoder_noise_dim else {})}}
        if model.has_encoder:
            feeds |= {"encode": {"x": X[:rows]}, "reconstruct": {"x": X[:rows]}}
        for name, given in feeds.items():
            wanted = getattr(model, name)(next(iter(given.values())), **labels)
            np.testing.assert_allclose(run(format, path, name, given | labels), wanted, atol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_a_conditional_convolutional_model_is_the_same_elsewhere(format, tmp_path):
    model = ki.create("ijae", SHAPE, LATENT, networks="dcgan", width=4, classes=3)
    check(format, model, tmp_path / "served")
    about = ki.training.info(tmp_path / "served")
    assert about["kind"] == format and about["functions"] == ["decode", "encode", "reconstruct"]


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_a_resnet_that_enlarges_maps_is_the_same_elsewhere(format, tmp_path):
    shape = (9, 16, 1)  # 9 is cropped from 10
    model = ki.create("vae", shape, LATENT, networks="resnet", width=4)
    model.export(tmp_path / "served", format=format)
    np.testing.assert_allclose(run(format, tmp_path / "served", "decode", {"z": Z}), model.decode(Z), atol=1e-5)
    x = images(3, shape)
    np.testing.assert_allclose(run(format, tmp_path / "served", "encode", {"x": x}), model.encode(x), atol=1e-4)


# Each has what others have not: a decoder's noise; no encoder, batch statistics; a mask; a flow.
SYSTEMS = [
    ("bigan", {"likelihood": "implicit"}),
    ("gan", {"networks": "dcgan", "norm": "batch"}),
    ("mask_aae", {}),
    ("nf_vae", {}),
]


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("name", "arguments"), SYSTEMS, ids=[name for name, _ in SYSTEMS])
def test_systems_are_the_same_elsewhere(name, arguments, format, tmp_path):
    arguments = {"networks": "mlp", "width": 8, **arguments}
    check(format, ki.create(name, SHAPE, LATENT, **arguments), tmp_path / "served")


REFUSED = {"onnx": {"stick_vae"}, "tflite": {"stick_vae"}}
"""The systems that docs/serving.md names."""


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", EVERY if "KERAS_IJAE_CASES" in os.environ else [])  # minutes: in `make soak`
def test_every_system_is_the_same_elsewhere_or_refused(name, format, tmp_path):
    model = create(name)
    if name not in REFUSED[format]:
        return check(format, model, tmp_path / "served")
    with pytest.raises(ValueError, match=f"`format`='{format}' cannot hold this model"):
        model.export(tmp_path / "served", format=format)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_noise_of_an_implicit_decoder_is_an_input(format, tmp_path):
    model = create("bigan", likelihood="implicit")
    model.export(tmp_path / "served", format=format)
    noise = model.decoder_noise(len(Z), 7).numpy()
    found = run(format, tmp_path / "served", "decode", {"z": Z, "noise": noise})
    np.testing.assert_allclose(found, model.decode(Z, seed=7), atol=1e-4)


@pytest.mark.parametrize("format", FORMATS)
def test_what_a_converter_does_not_know_is_refused_by_name_and_nothing_is_written(format, tmp_path):
    with pytest.raises(
        ValueError, match=f"`format`='{format}' cannot hold this model .*encode.*savedmodel.* for .*Erfc"
    ):
        create("stick_vae").export(tmp_path / "served", format=format)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module", params=["mixed_float16", "mixed_bfloat16"])
def half(request):
    """A model of mixed precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    try:
        return create("vae", posterior="diagonal")
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("format", FORMATS)
def test_half_precision_is_refused_in_one_sentence_and_its_weights_are_exported_in_single(half, format, tmp_path):
    with pytest.raises(ValueError, match=f"^Argument `format`='{format}' cannot hold a model whose layers compute in "):
        half.export(tmp_path / "served", format=format)
    assert list(tmp_path.iterdir()) == []
    single = create("vae", posterior="diagonal", seed=1)
    single.set_weights(half.get_weights())
    np.testing.assert_allclose(single.encode(X), half.encode(X), atol=0.05)
    if half.encoder.dtype_policy.name == "mixed_float16":
        check(format, single, tmp_path / "served")


@pytest.mark.slow
def test_tflite_has_no_full_covariance(tmp_path):
    with pytest.raises(ValueError, match="one. It has no operation for MatrixDiagPart"):
        create("vae", posterior="full").export(tmp_path / "served", format="tflite")


def test_a_missing_converter_is_named_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ValueError, match=r"needs tf2onnx: pip install 'keras_ijae\[onnx\]'"):
        create("gan").export(tmp_path / "served", format="onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="`format` must be one of 'savedmodel', 'onnx', 'tflite'"):
        create("gan").export(tmp_path / "served", format="torchscript")
    with pytest.raises(ValueError, match="`about` must be a dictionary that JSON can hold"):
        create("gan").export(tmp_path / "served", about={"dataset": object()})
    assert list(tmp_path.iterdir()) == []

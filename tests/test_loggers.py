"""What loggers get of a training: TensorBoard's histograms of codes, and MLflow's own callback as the guide has it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from extras import needs
from systems import LATENT, compiled, images, train

from keras_ijae.training import CodeHistograms

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "logging.md").read_text(encoding="utf-8")


def events(directory):
    """(step, tag, counts of the buckets) in the order in which they were written."""
    records = [record for path in sorted(directory.glob("events*")) for record in tf.data.TFRecordDataset(str(path))]
    found = [tf.compat.v1.Event.FromString(record.numpy()) for record in records]
    return [(e.step, v.tag, tf.make_ndarray(v.tensor)[:, 2]) for e in found for v in e.summary.value]


@pytest.mark.slow
def test_tensorboard_gets_histograms_of_codes_and_of_the_prior(tmp_path):
    x = images(24)
    model = compiled("vae", {"run_eagerly": True})
    train(model, epochs=4, callbacks=[CodeHistograms(x, tmp_path, every=3, dimensions=1)])
    found = events(tmp_path)
    tags = ["codes/all", "codes/norm", "prior/all", "prior/norm", "codes/00"]
    assert [(step, tag) for step, tag, _ in found] == [(step, tag) for step in (2, 3) for tag in tags]  # the last too
    counts = {tag: int(values.sum()) for step, tag, values in found if step == 3}
    all_values = 24 * LATENT
    assert counts == dict(zip(tags, (all_values, 24, all_values, 24, 24), strict=True))


def test_histograms_take_a_conditional_models_data_with_labels(tmp_path):
    model = compiled("vae", {"run_eagerly": True}, classes=3)
    data = images(8), np.arange(8) % 3
    model.fit(*data, verbose=0, callbacks=[CodeHistograms(data, tmp_path)])
    assert len(events(tmp_path)) == 4 + LATENT


def test_a_system_without_codes_has_no_histograms_of_them(tmp_path):
    with pytest.raises(ValueError, match="GAN has no encoder"):
        train(compiled("gan"), callbacks=[CodeHistograms(images(8), tmp_path)])
    with pytest.raises(ValueError, match="`dimensions` must be an integer >= 0"):
        CodeHistograms(images(8), tmp_path, dimensions=-1)


CHECK = """
metrics = mlflow.get_run(run.info.run_id).data.metrics
history = model.history.history
assert {name: values[-1] for name, values in history.items()}.items() <= metrics.items(), (history, metrics)
assert mlflow.get_run(run.info.run_id).data.params["system"] == "vae"
found = mlflow.artifacts.list_artifacts(run_id=run.info.run_id)
assert "model.keras" in [artifact.path for artifact in found], found
"""


@pytest.mark.slow
@needs("mlflow", "pandas")
def test_mlflow_gets_what_the_guide_says(tmp_path):
    (program,) = re.findall(r"```python\n(import mlflow.*?)```", PAGE, re.DOTALL)
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program + CHECK]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mlruns").is_dir()

"""What a type checker sees of the public names: the wheel says that it has types (`py.typed`), so they must be real."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OWN = "ki.models.IJAE(encoder=net, decoder=net, discriminator=net, likelihood_discriminator=net, lam=0.3)"
SEEN = {
    'ki.create("ijae", data_shape=(28, 28, 1), latent_dim=16)': r"keras_ijae\..*\.Game",
    'ki.load_model("model.keras")': r"keras_ijae\..*\.Game",
    "ki.list_models()": r"dict\[str, str\]",
    OWN: r"keras_ijae\.models\.ijae\.IJAE",
    f"{OWN}.sample(64, seed=0)": r"numpy\.ndarray\[.*\]",
    "ki.datasets.load": r"def \(name: str, split: str =, batch_size: int =, .*",
    'ki.datasets.info("mnist")': r"keras_ijae\.datasets\.loading\.DatasetInfo",
    "ki.metrics.frechet_distance([[0.0]], [[0.0]])": r"float",
    "ki.evaluation.evaluate(None, None)": r"keras_ijae\.evaluation\.scoring\.Evaluation",
    'ki.training.Backup("backup")': r"keras_ijae\.training\.backup\.Backup",
    "ki.distributions.Gaussian()": r"keras_ijae\.distributions\.likelihoods\.location_scale\.Gaussian",
    "ki.layers.GroupNorm()": r"keras_ijae\.layers\.group_norm\.GroupNorm",
    "ki.losses.mmd": r"def \(a: .*, b: .*, variance: float \| .* =\) -> .*",
    "ki.networks.decoder": r"def \(family: str, .*",
    "ki.random.normal": r"def \(shape: typing\.Sequence\[.*\], seed: .*",
    "ki.figures.between([[0.0]], [[1.0]], 3)": r"numpy\.ndarray\[.*\]",
    "ki.lab.forward_kl": r"def \(p: .*, q: .*\) -> float",
}
SNIPPET = ["from typing import Any", "import keras_ijae as ki", "net: Any = None"]
SNIPPET += [f"reveal_type({expression})" for expression in SEEN]
MISTAKES = ["ki.creat", "ki.models.IJEA", "ki.metrics.frechet_distanc", "ki.lab.em_", "ki.training.Backup(every=1)"]


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """line -> what mypy says of it; TensorFlow and Keras have no types, and are not looked into."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "snippet.py").write_text("\n".join([*SNIPPET, *MISTAKES, ""]))
    (folder / "mypy.ini").write_text(
        f"[mypy]\nmypy_path = {ROOT}\nfollow_imports = silent\nignore_missing_imports = True\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "snippet.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    found = re.findall(r"^snippet.py:(\d+): (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {([*SNIPPET, *MISTAKES])[int(line) - 1]: note for line, note in found}


@pytest.mark.slow
@pytest.mark.parametrize("expression", SEEN)
def test_a_type_checker_sees_real_types(notes, expression):
    revealed = re.fullmatch(r'note: Revealed type is "(.*)"', notes[f"reveal_type({expression})"])
    assert revealed and re.fullmatch(SEEN[expression], revealed[1])


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_type_checker_sees_mistakes(notes, mistake):
    assert notes[mistake].startswith("error: ")

"""The documentation is built without a warning, needs no network, and its notebooks run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning_and_fetch_nothing(tmp_path):
    options = ["-q", "-W", "--keep-going", "-D", "nb_execution_mode=off", "-d", tmp_path / "doctrees"]
    _run("-m", "sphinx", *options, ROOT / "docs", tmp_path / "html", cwd=ROOT)
    pages = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "html").rglob("*.html")}
    assert len(pages) > 90 and (tmp_path / "html" / "searchindex.js").is_file()
    fetched = r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//"
    assert not [path.name for path, page in pages.items() if re.search(fetched, page)]
    page = pages[tmp_path / "html" / "systems" / "ijae.html"]
    assert "<math" in page and "<svg" in page and "problematic" not in page
    models = pages[tmp_path / "html" / "reference" / "models.html"]
    for name in ("Game.fit", "Game.evaluate", "Game.sample", "VAE.elbo", "MaskAAE.active_dims", "IOPVAE.log_ratio"):
        assert f'id="keras_ijae.models.{name}"' in models, name


@pytest.mark.slow
def test_the_notebooks_run(tmp_path):
    """As scripts, of one epoch each, in one process: the build runs them whole, each in a kernel."""
    script = ["import matplotlib", "matplotlib.use('agg')"]
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        cells = re.findall(r"^```\{code-cell\}\n(?::[^\n]*\n)*(.*?)^```", text, re.DOTALL | re.MULTILINE)
        assert len(cells) >= 4, path
        script += [re.sub(r"epochs=\d+", "epochs=1", cell) for cell in cells]
    (tmp_path / "notebooks.py").write_text("\n".join(script), encoding="utf-8")
    _run(tmp_path / "notebooks.py", cwd=tmp_path)


def _run(*arguments, cwd):
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr[-4000:]

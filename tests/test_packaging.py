"""The wheel holds the whole package, and works in a fresh environment without the sources."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from extras import needs

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("keras_ijae", "keras_ijae_cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the sources, so that nothing is left in them."""
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, sources)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """An environment with the wheel in it, which finds the packages that it needs in the environment of the tests."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    _run(sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--no-deps", "--no-index", wheel)
    (packages,) = home.rglob("site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    return scripts


def test_the_wheel_holds_every_module_the_pages_and_the_marker_of_types(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    folders = [ROOT / "keras_ijae" / name for name in ("report/page", "explorer/assets")]
    pages = {str(path.relative_to(ROOT)) for folder in folders for path in folder.iterdir()}
    assert inside == modules | pages | {"keras_ijae/py.typed"}


def test_the_wheel_carries_its_licence(wheel):
    (licence,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("LICENSE"))
    assert zipfile.ZipFile(wheel).read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.slow
def test_the_installed_command_works_and_keeps_tensorflow_quiet(fresh):
    shown = _run(fresh / "keras-ijae", "systems", cwd=fresh, quiet=True)
    assert "ijae" in shown


@pytest.mark.slow
def test_the_installed_package_makes_a_model_that_samples_without_the_sources(fresh):
    program = (
        "import keras_ijae as ki\n"
        "model = ki.create('vae', data_shape=(8, 8, 1), latent_dim=2, width=8)\n"
        "print(ki.__file__, model.sample(3).shape)\n"
    )
    place, shape = _run(fresh / "python", "-c", program, cwd=fresh).strip().split(" ", 1)
    assert Path(place).is_relative_to(fresh.parent) and shape == "(3, 8, 8, 1)"


def test_the_version_is_stated_once_in_effect():
    import keras_ijae

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == keras_ijae.__version__
    assert f"version: {keras_ijae.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_whoever_runs_the_tests_has_every_extra():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = setup["options.extras_require"]

    def within(extra):
        named = re.search(r"keras_ijae\[(.*)\]", extras[extra])
        return {extra}.union(*map(within, named[1].split(","))) if named else {extra}

    assert within("dev") == set(extras)


@pytest.mark.parametrize("ci", [False, True])
def test_what_is_not_installed_is_skipped_but_in_ci_fails(ci, monkeypatch):
    monkeypatch.setenv("CI", "1") if ci else monkeypatch.delenv("CI", raising=False)
    assert needs("pytest", "nothing_of_this_name").args == (not ci,)
    assert needs("pytest").args == (False,)


def _run(*command, cwd=None, quiet=False):
    """What the command writes, run where neither the sources nor PYTHONPATH are seen; quiet: nothing to stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == 0 and not (quiet and done.stderr), done.stderr
    return done.stdout

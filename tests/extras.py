"""Tests of what needs an extra."""

import importlib.util
import os

import pytest


def needs(*modules):
    """A mark: without one of these the test is skipped; in CI, which installs them, it runs and fails."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing) and not os.environ.get("CI"), reason=f"not installed: {', '.join(missing)}")

"""What a run was made with: versions of packages, and the commit of this one where it is known."""

import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path

_VERSIONED = ("keras_ijae", "tensorflow", "keras", "tensorflow-probability", "numpy")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that a run depends on; "commit" of this package, if it is known."""
    found = {"python": platform.python_version()}
    found |= {name: version(name) for name in _VERSIONED}
    made = commit()
    return {**found, "commit": made} if made else found


def version(name: str = "keras_ijae") -> str:
    """That of a package, "not installed" where it is not, as of one that is run from its files."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def commit() -> str | None:
    """The commit that this package was installed or is run from, "+" after it where files have changed since."""
    return _of_checkout(Path(__file__)) or _of_installation()


def _of_checkout(file: Path) -> str | None:
    """That of the repository which has the file; None where it only lies in one, as in an environment there."""
    if _git(file, "ls-files", "--error-unmatch", file.name) is None:
        return None
    head = _git(file, "rev-parse", "HEAD")
    changed = _git(file, "status", "--porcelain", "--untracked-files=no")  # `describe --dirty` would write the index
    return head and f"{head}+" if changed else head


def _git(file: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments], cwd=file.parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):  # there is no git, or its disk is asleep
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _of_installation() -> str | None:
    """What pip wrote down of an installation from a repository (PEP 610)."""
    try:
        origin = importlib.metadata.distribution("keras_ijae").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None
    return json.loads(origin or "{}").get("vcs_info", {}).get("commit_id")

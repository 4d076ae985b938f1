"""The rooms: imports point down the list alone, there is no circle of modules, and what is private stays at home."""

import ast
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "keras_ijae"
ROOMS = [
    "keras_ijae_cli",
    "explorer",
    "report",
    "lab",
    "training",
    "figures",
    "evaluation",
    "models",
    "game",
    "distributions",
    "networks",
]
ROOMS += ["layers", "losses", "random", "files", "progress", "arrays", "checks", "keras_internals"]
ROOMS += ["replicas", "machines", "backend"]
"""From the top; a room imports from those below it."""
APART = {"metrics", "datasets"}
"""They know no model, and import from the lowest rooms alone; whoever is above these may import them."""
LOWEST = {"random", "files", "progress", "arrays", "checks"}
DOORS = (PACKAGE, f"{PACKAGE}.__main__")
"""What gathers the rooms for the user."""


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for folder in (PACKAGE, "keras_ijae_cli") for path in (ROOT / folder).rglob("*.py")}


def room_of(module):
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == PACKAGE else first


def imported(module):
    """The modules of the package that a module imports, in functions too; not those that only type checkers see.

    `import_module(f"keras_ijae.datasets.from_{name}")` counts as all modules whose names begin so.
    """
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for guard in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        if ast.unparse(guard.test).endswith("TYPE_CHECKING"):
            guard.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in inner}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            start = beginning(node.args[0], module)
            found |= {name for name in MODULES if start and name.startswith(start)} - {module}
    return found & MODULES.keys()


def beginning(name, module):
    """What is known of a module's name from an expression: all of a string, the beginning of an f-string."""
    if not isinstance(name, ast.JoinedStr):
        return name.value if isinstance(name, ast.Constant) else ""
    first = name.values[0]
    if isinstance(first, ast.Constant):
        return first.value
    return f"{module}." if ast.unparse(first.value) == "__name__" else ""


IMPORTS = {module: imported(module) for module in MODULES}
ARROWS = [(module, other) for module, others in sorted(IMPORTS.items()) for other in sorted(others)]
CROSSING = [(one, other) for one, other in ARROWS if one not in DOORS and room_of(one) != room_of(other)]


def points_down(module, other):
    here, there = room_of(module), room_of(other)
    if other in DOORS:
        return here == "keras_ijae_cli"
    if here in APART:
        return there in LOWEST
    if there in APART:
        return ROOMS.index(here) < ROOMS.index("distributions")
    return ROOMS.index(here) < ROOMS.index(there)


def circles(imports):
    """The circles of modules, each once, as the names in it."""
    clear, found = set(), []

    def follow(module, path):
        if module in path:
            found.append(path[path.index(module) :])
        elif module not in clear:
            for other in sorted(imports[module]):
                follow(other, [*path, module])
            clear.add(module)

    for module in sorted(imports):
        follow(module, [])
    return found


def test_every_room_has_its_place_in_the_list():
    assert {room_of(module) for module in MODULES if module not in DOORS} <= {*ROOMS, *APART}


def test_imports_only_point_down_the_list_of_rooms():
    assert [f"{one} -> {other}" for one, other in CROSSING if not points_down(one, other)] == []


def test_no_module_imports_itself_by_way_of_others():
    assert circles(IMPORTS) == []


def test_private_modules_are_imported_by_their_own_room_alone():
    private = [(one, other) for one, other in CROSSING if any(part.startswith("_") for part in other.split("."))]
    assert [f"{one} -> {other}" for one, other in private] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{PACKAGE}.layers.mask", f"{PACKAGE}.models.vae"),
        (f"{PACKAGE}.game.moves", f"{PACKAGE}.models"),
        (f"{PACKAGE}.metrics.frechet", f"{PACKAGE}.losses"),
        (f"{PACKAGE}.datasets.names", f"{PACKAGE}.metrics"),
        (f"{PACKAGE}.lab.em", "keras_ijae_cli.app"),
        (f"{PACKAGE}.models.vae", PACKAGE),
    ],
)
def test_an_arrow_that_points_up_is_seen(one, other):
    assert not points_down(one, other)


def test_circles_are_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == [["b", "c"], ["d"]]


def test_private_attributes_of_keras_are_used_in_their_adapter_alone():
    kinds = keras.Model, keras.layers.Layer, keras.callbacks.Callback
    optimizer = keras.optimizers.Adam()
    optimizer.exclude_from_weight_decay(var_names=["bias"])  # whose names it then has as attributes
    hidden = {name for one in (*kinds, optimizer) for name in dir(one)} | {"_initial_epoch", "_use_cached_eval_dataset"}
    hidden = {name for name in hidden if name.startswith("_") and not name.startswith("__")}
    found = {module for module, path in MODULES.items() if private_uses(path, hidden)}
    assert found == {f"{PACKAGE}.keras_internals"}


def private_uses(path, hidden):
    """Those of the names that a module uses and does not define itself."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return hidden & (used | {node.value for node in nodes if isinstance(node, ast.Constant)}) - own

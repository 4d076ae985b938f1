"""The Inception-v3 of published FIDs as a Keras model, built from a table."""

from collections.abc import Iterator

import keras

# One row per convolution: its name in PyTorch's port, its name in the frozen graph, filters, kernel, stride. A stride
# of 2, or "1v", goes without padding. Convolutions of one "tower" follow each other; "mixed/" rows stand side by
# side at the end of their tower; "branch_pool" comes after a pooling.
_STEM = """
Conv2d_1a_3x3 conv 32 3x3 2
Conv2d_2a_3x3 conv_1 32 3x3 1v
Conv2d_2b_3x3 conv_2 64 3x3 1
pool
Conv2d_3b_1x1 conv_3 80 1x1 1
Conv2d_4a_3x3 conv_4 192 3x3 1v
pool"""
_A = """
branch1x1 conv 64 1x1 1
branch5x5_1 tower/conv 48 1x1 1
branch5x5_2 tower/conv_1 64 5x5 1
branch3x3dbl_1 tower_1/conv 64 1x1 1
branch3x3dbl_2 tower_1/conv_1 96 3x3 1
branch3x3dbl_3 tower_1/conv_2 96 3x3 1
branch_pool tower_2/conv {0} 1x1 1"""
_B = """
branch3x3 conv 384 3x3 2
branch3x3dbl_1 tower/conv 64 1x1 1
branch3x3dbl_2 tower/conv_1 96 3x3 1
branch3x3dbl_3 tower/conv_2 96 3x3 2"""
_C = """
branch1x1 conv 192 1x1 1
branch7x7_1 tower/conv {0} 1x1 1
branch7x7_2 tower/conv_1 {0} 1x7 1
branch7x7_3 tower/conv_2 192 7x1 1
branch7x7dbl_1 tower_1/conv {0} 1x1 1
branch7x7dbl_2 tower_1/conv_1 {0} 7x1 1
branch7x7dbl_3 tower_1/conv_2 {0} 1x7 1
branch7x7dbl_4 tower_1/conv_3 {0} 7x1 1
branch7x7dbl_5 tower_1/conv_4 192 1x7 1
branch_pool tower_2/conv 192 1x1 1"""
_D = """
branch3x3_1 tower/conv 192 1x1 1
branch3x3_2 tower/conv_1 320 3x3 2
branch7x7x3_1 tower_1/conv 192 1x1 1
branch7x7x3_2 tower_1/conv_1 192 1x7 1
branch7x7x3_3 tower_1/conv_2 192 7x1 1
branch7x7x3_4 tower_1/conv_3 192 3x3 2"""
_E = """
branch1x1 conv 320 1x1 1
branch3x3_1 tower/conv 384 1x1 1
branch3x3_2a tower/mixed/conv 384 1x3 1
branch3x3_2b tower/mixed/conv_1 384 3x1 1
branch3x3dbl_1 tower_1/conv 448 1x1 1
branch3x3dbl_2 tower_1/conv_1 384 3x3 1
branch3x3dbl_3a tower_1/mixed/conv 384 1x3 1
branch3x3dbl_3b tower_1/mixed/conv_1 384 3x1 1
branch_pool tower_2/conv 192 1x1 1"""
# Name in the port, name in the graph, table, and what is pooled beside it: an average that leaves the padding out,
# a maximum (the last block's is a peculiarity of this network), or a maximum that halves the sides.
_BLOCKS = (
    ("Mixed_5b", "mixed", _A.format(32), "average"),
    ("Mixed_5c", "mixed_1", _A.format(64), "average"),
    ("Mixed_5d", "mixed_2", _A.format(64), "average"),
    ("Mixed_6a", "mixed_3", _B, "half"),
    ("Mixed_6b", "mixed_4", _C.format(128), "average"),
    ("Mixed_6c", "mixed_5", _C.format(160), "average"),
    ("Mixed_6d", "mixed_6", _C.format(160), "average"),
    ("Mixed_6e", "mixed_7", _C.format(192), "average"),
    ("Mixed_7a", "mixed_8", _D, "half"),
    ("Mixed_7b", "mixed_9", _E, "average"),
    ("Mixed_7c", "mixed_10", _E, "maximum"),
)
FEATURES, LOGITS, SIDE = 2048, 1008, 299


def build_inception() -> keras.Model:
    """Images (b, 299, 299, 3), scaled as `(x - 128) / 128` from 0..255, to pool_3 (b, 2048) and logits (b, 1008).

    The logits are those of the Inception Score: without the bias. Batch normalisation has epsilon 1e-3.

    References:
        Szegedy et al.: Rethinking the Inception architecture for computer vision (2016); Heusel et al. 2017.
    """
    image = x = keras.Input((SIDE, SIDE, 3), dtype="float32")
    for row in _rows(_STEM):
        x = _pool(x, "half") if row == ["pool"] else _convolution(x, "", row)
    for name, _, table, pooling in _BLOCKS:
        x = _block(x, name, table, pooling)
    features = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool_3")(x)
    logits = keras.layers.Dense(LOGITS, use_bias=False, dtype="float32", name="fc")(features)
    return keras.Model(image, [features, logits], name="inception")


def _block(x, name, table, pooling):
    towers, split = {}, set()
    for row in _rows(table):
        tower = row[1].rpartition("/")[0]
        if tower.endswith("/mixed"):
            trunk = tower.removesuffix("/mixed")
            towers[row[1]] = _convolution(towers[trunk], name, row)
            split.add(trunk)
        else:
            start = _pool(x, pooling) if row[0] == "branch_pool" else x
            towers[tower] = _convolution(towers.get(tower, start), name, row)
    outputs = [output for tower, output in towers.items() if tower not in split]
    if pooling == "half":
        outputs.append(_pool(x, pooling))
    return keras.layers.Concatenate(dtype="float32")(outputs)


def _pool(x, kind):
    if kind == "average":  # in TensorFlow the padding does not count
        return keras.layers.AveragePooling2D(3, 1, padding="same", dtype="float32")(x)
    stride, padding = (2, "valid") if kind == "half" else (1, "same")
    return keras.layers.MaxPooling2D(3, stride, padding=padding, dtype="float32")(x)


def _convolution(x, block, row):
    name, _, filters, kernel, stride = row
    name = f"{block}.{name}".lstrip(".")
    x = keras.layers.Conv2D(
        int(filters),
        tuple(map(int, kernel.split("x"))),
        int(stride[0]),
        padding="same" if stride == "1" else "valid",
        use_bias=False,
        dtype="float32",
        name=f"{name}.conv",
    )(x)
    x = keras.layers.BatchNormalization(epsilon=1e-3, dtype="float32", name=f"{name}.bn")(x)
    return keras.layers.ReLU(dtype="float32")(x)


def convolution_names() -> Iterator[tuple[str, str]]:
    """Of each convolution: its name in the port and in the graph."""
    for block, graph, table, _ in (("", "", _STEM, ""), *_BLOCKS):
        for row in _rows(table):
            if row != ["pool"]:
                yield f"{block}.{row[0]}".lstrip("."), f"{graph}/{row[1]}".lstrip("/")


def _rows(table):
    return [line.split() for line in table.split("\n")[1:]]

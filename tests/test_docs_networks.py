"""The networks on the page of a system: their tables and drawings follow the way that data take through the layers."""

import itertools
from xml.etree import ElementTree

import keras
from generator.drawing import RESHAPING, Passing, arranged, drawing
from generator.layers import FOLDED, boxes_of, layers_of

from keras_ijae import create


def branching():
    """A network of two inputs, the first of which goes two ways."""
    x, z = keras.Input((8, 8, 1), name="x"), keras.Input((2,), name="z")
    h = keras.layers.LeakyReLU()(keras.layers.Conv2D(4, 3, strides=2, padding="same")(x))
    deep = keras.layers.Activation("relu")(keras.layers.Conv2D(4, 3, padding="same")(h))
    h = keras.layers.Flatten()(keras.layers.Add()([h, keras.layers.Conv2D(4, 1)(deep)]))
    return keras.Model([x, z], keras.layers.Dense(1)(keras.layers.Concatenate()([h, z])), name="net")


def test_a_network_is_drawn_as_its_layers_lie():
    boxes = boxes_of(branching(), (*FOLDED, *RESHAPING))
    assert [(box.words, box.shape, box.parameters > 0) for box in boxes.values()] == [
        (["input x"], "8 × 8 × 1", False),
        (["Conv2D 3 × 3", "stride 2", "leaky ReLU"], "4 × 4 × 4", True),
        (["Conv2D 3 × 3", "ReLU"], "4 × 4 × 4", True),
        (["Conv2D 1 × 1"], "4 × 4 × 4", True),
        (["Add", "Flatten"], "64", False),
        (["input z"], "2", False),
        (["Concatenate"], "66", False),
        (["Dense"], "1", True),
    ]
    columns, links = arranged(boxes)
    assert [len(column) for column in columns] == [
        1,
        1,
        2,
        2,
        2,
        1,
        1,
    ]  # the short way passes two columns, z comes late
    assert len(links) == 10 and sum(isinstance(what, Passing) for column in columns for what in column) == 2


def test_the_boxes_of_a_network_lie_apart_in_the_picture_and_hold_their_words():
    for network in (branching(), *create("alpha_gan", data_shape=(28, 28, 1), latent_dim=16).networks.values()):
        svg = ElementTree.fromstring(drawing(network, "<net>"))
        width, height = map(float, svg.get("viewBox").split()[2:])
        boxes = [[float(box.get(key)) for key in ("x", "y", "width", "height")] for box in svg.iter("rect")]
        boxes = [(x, y, x + wide, y + high + 15) for x, y, wide, high in boxes]  # with the shape below
        assert len(boxes) == len(boxes_of(network, (*FOLDED, *RESHAPING))) and svg.get("aria-label").startswith(
            "<net>: "
        )
        assert all(0 <= left < right <= width and 0 <= top < low <= height for left, top, right, low in boxes)
        for (left, top, right, low), other in itertools.combinations(boxes, 2):
            assert right <= other[0] or other[2] <= left or low <= other[1] or other[3] <= top
        for group in svg.iter("g"):
            assert max(len(text.text) for text in group.iter("text")) * 6 <= float(group.find("rect").get("width"))


def test_an_activation_stands_in_the_table_with_the_layer_that_it_follows():
    network = branching()
    rows = {what: parameters for what, _, parameters in layers_of(network)}
    assert rows["Conv2D 3 × 3, stride 2, leaky ReLU"] == 4 * (9 + 1) and rows["input z"] == 0 and rows["Flatten"] == 0
    assert sum(rows.values()) == network.count_params()


def test_what_is_one_layer_is_not_drawn():
    assert drawing(keras.layers.Dense(3), "mask") == ""

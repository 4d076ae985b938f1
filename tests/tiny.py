"""What the systems' own tests share: float64, tiny networks, analytic ones, injected noise, quadrature."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.game import Batch
from keras_ijae.layers import SpectralDense
from keras_ijae.models import Played


@pytest.fixture
def float64() -> Iterator[None]:
    """Keras in float64, and back."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


def network(
    kind: str, shapes: list[tuple], output: tuple[int, ...], seed: int = 0, hidden: int = 3, last: str = "auto"
) -> keras.Model:
    """One smooth hidden layer from all inputs to an output; `kind`: "plain", "batch" (normalised) or "spectral".

    The `last` activation is by default a sigmoid for images, and none for vectors.
    """
    inputs = [keras.Input(shape) for shape in shapes]
    h = _flat_and_joined(inputs)
    dense = SpectralDense if kind == "spectral" else keras.layers.Dense
    initializers = [keras.initializers.RandomNormal(stddev=0.7, seed=seed + index) for index in range(3)]
    h = dense(hidden, kernel_initializer=initializers[0], bias_initializer=initializers[1])(h)
    if kind == "batch":
        h = keras.layers.BatchNormalization(momentum=0.9)(h)
    h = dense(math.prod(output), kernel_initializer=initializers[2])(keras.ops.tanh(h))
    last = ("sigmoid" if len(output) == 3 else "linear") if last == "auto" else last
    outputs = keras.layers.Activation(last)(keras.layers.Reshape(output)(h))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)


def affine(kernel: Any, bias: Any = None, sizes: tuple[int, ...] = (1,)) -> keras.Model:
    """inputs @ kernel + bias, the inputs (of these sizes) side by side; without a bias where it is None."""
    kernel = np.asarray(kernel, "float64")
    inputs = [keras.Input((size,)) for size in sizes]
    layer = keras.layers.Dense(kernel.shape[1], use_bias=bias is not None)
    made = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer(_flat_and_joined(inputs)))
    layer.set_weights([kernel] if bias is None else [kernel, np.asarray(bias, "float64")])
    return made


def bilinear() -> keras.Model:
    """A decoder from (2,) to (8, 8, 1) in which no gradient flows twice."""
    z = keras.Input((2,))
    h = keras.layers.Reshape((2, 2, 1))(keras.layers.Dense(4)(z))
    h = keras.layers.UpSampling2D(4, interpolation="bilinear")(h)
    return keras.Model(z, keras.layers.Activation("sigmoid")(h))


@keras.saving.register_keras_serializable("tests")
class Quadratic(keras.layers.Layer):
    """u'Au / 2 + b'u + c of the inputs u side by side: the logit between two Gaussians. Nothing in it is trained."""

    def __init__(self, a, b=0.0, c=0.0, **options):
        super().__init__(**options)
        self.a, self.b, self.c = np.asarray(a, "float64"), np.asarray(b, "float64"), c

    def call(self, u):
        a, b, c = (tf.cast(coefficient, u.dtype) for coefficient in (self.a, self.b, self.c))
        return tf.reduce_sum((u @ a) * u / 2 + u * b, axis=1, keepdims=True) + c


def quadratic(a: Any, b: Any = 0.0, c: float = 0.0, sizes: tuple[int, ...] = (1,)) -> keras.Model:
    """A discriminator with a `Quadratic` logit."""
    inputs = [keras.Input((size,)) for size in sizes]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], Quadratic(a, b, c)(_flat_and_joined(inputs)))


def _flat_and_joined(inputs):
    flat = [keras.layers.Flatten()(x) for x in inputs]
    return flat[0] if len(flat) == 1 else keras.layers.Concatenate()(flat)


def inject(model: Any, **noise: Any) -> None:
    """From now on the model draws this noise."""
    tensors = {name: tf.constant(value) for name, value in noise.items()}
    model.noise = lambda draws: tensors


def slopes(model: Any, x: np.ndarray, *moves: str) -> list[np.ndarray]:
    """The gradients of a step's losses at the weights of `moves`: what SGD of rate 1 takes away from each weight."""
    model.compile({move.name: keras.optimizers.SGD(1.0 if move.name in moves else 0.0) for move in model.moves})
    variables = [weight for move in moves for weight in getattr(model, move).trainable_variables]
    before = [variable.numpy() for variable in variables]
    model.train_step(tf.constant(x))
    return [old - variable.numpy() for old, variable in zip(before, variables, strict=True)]


def signs(columns: int) -> np.ndarray:
    """All rows of +-1: equally probable nodes that have every mean of N(0, I) up to the third degree of each column."""
    return np.array(np.meshgrid(*[[-1.0, 1.0]] * columns, indexing="ij")).reshape(columns, -1).T


def expected(function: Callable, nodes: int = 80) -> np.ndarray:
    """E function(e), e ~ N(0, 1), by Gauss-Hermite quadrature; e is given as a tensor, a batch of one row."""
    points, mass = np.polynomial.hermite_e.hermegauss(nodes)
    traced = tf.function(function, [tf.TensorSpec([1, 1], tf.float64)], autograph=False)
    return sum(w * np.asarray(traced([[e]])) for e, w in zip(points, mass / mass.sum(), strict=True))


def play_phase(model: Any, x: np.ndarray, noise: dict, phase: str) -> Played:
    """What a phase plays on this data and noise."""
    batch, noise = Batch(tf.convert_to_tensor(x)), {name: tf.convert_to_tensor(value) for name, value in noise.items()}
    return model.losses(batch, noise, phase, model.forward(batch, noise, phase))


def check_a_weight_comes_back(model: Any, argument: str, total: Callable, path: Any) -> None:
    """A weight that began at 0 has an effect when it is raised; at 0 again, saved, loaded and raised, the same one.

    Args:
        model: made with `argument`=0.
        argument: the name of the weight.
        total: `total(model)` -> what its move lowers, on the same data and noise each time.
        path: of the file.
    """

    def at(model, weight):
        getattr(model, argument).assign(weight)
        return float(total(model))

    assert float(getattr(model, argument).numpy()) == 0
    nothing, once, twice = (at(model, weight) for weight in (0.0, 1.0, 2.0))
    assert once - nothing > 1e-3 and abs(twice - 2 * once + nothing) < 1e-4
    getattr(model, argument).assign(0.0)
    model.save(path)
    loaded = keras.models.load_model(path)
    assert float(getattr(loaded, argument).numpy()) == 0 and loaded.get_config()[argument] == 0
    np.testing.assert_allclose([at(loaded, 0.0), at(loaded, 2.0)], [nothing, twice], rtol=1e-6)


def loss_gradient(
    model: Any, x: np.ndarray | tf.Tensor, noise: dict, phase: str, move: str, variables: list
) -> list[tf.Tensor]:
    """The gradients of one move's loss on this data and noise."""
    with tf.GradientTape() as tape:
        loss = play_phase(model, x, noise, phase).losses[move]
    return tape.gradient(loss, [variable.value for variable in variables])


MEAN, COVARIANCE = np.array([0.5, -0.3]), np.array([[1.0, 0.6], [0.6, 0.8]])


def gaussian_data(rows: int = 12_800) -> np.ndarray:
    """The 2-D Gaussian that the systems are to recover, float32."""
    return np.random.default_rng(0).multivariate_normal(MEAN, COVARIANCE, rows).astype("float32")


def train_on_gaussian(model: Any, rate: float, steps: int) -> None:
    """`steps` of Adam at batches of 128 independent rows."""
    optimizers = {move.name: keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.9) for move in model.moves}
    model.compile(optimizers, steps_per_execution=50, jit_compile=False)
    model.fit(gaussian_data(), batch_size=128, epochs=steps // 100, shuffle=False, verbose=0)


def check_samples(model: Any, mean: float, covariance: float, observation: str = "mean") -> None:
    """Mean and covariance of 20,000 samples are within these bounds of the target's, entry by entry."""
    samples = model.sample(20_000, seed=1, observation=observation)
    np.testing.assert_allclose(samples.mean(axis=0), MEAN, atol=mean)
    np.testing.assert_allclose(np.cov(samples.T), COVARIANCE, atol=covariance)

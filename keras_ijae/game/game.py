"""The game: how every system is trained. A system's file holds mathematics, this room everything else.

A `Game` is one class in four files: `Conditionals` is its networks on tensors, `GenerativeModel` what users do with a
trained model, `CalledByUsers` what they call on any Keras model, and `Game` what is played. Each knows those before it,
and declares what it takes from those behind it.
"""

import numbers
import re
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.distributions import priors
from keras_ijae.game import data, fitting, moves, networks, step
from keras_ijae.game.arguments import refuse_arrays
from keras_ijae.game.averages import RunningAverages
from keras_ijae.game.calls import CalledByUsers
from keras_ijae.game.config import arguments_from, config_of, known_so_far, origin_in
from keras_ijae.game.data import Batch
from keras_ijae.game.endpoints import Endpoints
from keras_ijae.game.entries import preset_of, unconditional
from keras_ijae.game.labels import LabelCounts
from keras_ijae.game.logs import Logs
from keras_ijae.game.moves import Move, Phase, Played
from keras_ijae.keras_internals import made_trainable, sublayers
from keras_ijae.replicas import Share, parted, share_of

_EMA = 0.999


class Game(CalledByUsers):
    """Base of every system: players whose moves alternate in `train_step`.

    A system declares its networks in `ROLES`; its `__init__` hands them to this one, sets `self.moves` and
    `self.phases`, and ends with `ready()`. It defines `noise`, `losses`, `default_optimizers` and, where phases share
    the players' forward pass, `forward`. Every argument of its `__init__` is kept as the attribute of the same name
    (`posterior`, a method, as `posterior_kind`), from which `get_config` is made.

    Args:
        networks_by_role: role -> network, or None where there is none.
        data_shape: (height, width, channels) of images in [0, 1], or (features,); None reads it off the decoder.
        latent_dim: size of a code; None reads it off the decoder.
        classes: K, at least 2, for a conditional model: labels 0..K-1, or -1 for unknown, come with the data, and the
            networks whose roles take labels get them, one-hot, as their last input. None: labels are dropped.
        prior: a `Prior`, or the name of one.
        sampling_prior: a `Prior` that samples are drawn from in the place of `prior`, or the name of one ("gmm",
            "two_stage", ...); one that can be fitted is by `fit_prior(data)`. None: `prior`.
        ema: decay, in [0, 1), of the running average of what the players learn (networks, prior, posterior, scale of
            the likelihood), which everything but training uses (`encode`, `decode`, `sample`, `evaluate`, export);
            None: no average; "auto": 0.999 for systems with discriminators or critics, none for others: a choice of
            this library, which no paper of these systems has.
        preset: name of the preset in `PRESETS` whose optimizers are the default ones, or "NAME:PRESET" for one that the
            registered NAME alone has; None: the system's own.
        seed: of the run: all noise is a function of it and of the step number.
        name: of the Keras model; None: the class's, as "alpha_gan".

    Raises:
        ValueError: a network whose shapes do not fit (named, with both shapes), or moves that make no game.
    """

    PRESETS: dict[str, Any] = {}
    UNCONDITIONAL = ""  # why no role takes labels, where none does
    LEAST_ROWS = 1  # of a batch, for its losses to say something
    moves: tuple[Move, ...]
    phases: tuple[Phase, ...]

    def __new__(cls, *args: Any, **arguments: Any) -> "Game":
        refuse_arrays(arguments)  # before a system's own `__init__` compares them with names
        return super().__new__(cls, *args, **arguments)

    def __init__(
        self,
        networks_by_role: dict[str, keras.layers.Layer | None],
        /,
        *,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        classes: int | None = None,
        prior: Any = "normal",
        sampling_prior: Any = None,
        ema: float | str | None = "auto",
        preset: str | None = None,
        seed: int = 0,
        name: str | None = None,
    ):
        if name is not None:
            checks.instance("name", name, str)
        super().__init__(name=name or re.sub("(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower())
        self._fitted_priors = []
        networks.check_kinds(networks_by_role)
        sizes = networks.sizes(networks_by_role.get("decoder"), data_shape, latent_dim)
        self.data_shape, self.latent_dim = sizes[0], checks.size("latent_dim", sizes[1])
        self.classes = self._checked_classes(classes)
        self.label_counts = None if self.classes is None else LabelCounts(self.classes)
        self.prior = priors.get(prior, self.latent_dim)
        self.ema, self.preset = self._decay(ema), preset
        self.seed = checks.whole("seed", seed, -(2**63), 2**63 - 1)
        preset_of(type(self), preset)
        self.steps = self._variable("steps", "zeros", dtype="int64")
        for role, network in networks_by_role.items():
            setattr(self, role, network)
        fitting.check_named(self, prior)
        if sampling_prior is not None:
            self._need_encoder("take the argument `sampling_prior`")
            sampling_prior = priors.get_sampling(sampling_prior, self.latent_dim)
        for density in (self.prior, sampling_prior):
            if density is not None:
                density.belong_to(self)
                self._check_unconditional(density)
        self._given_sampling_prior = lambda: sampling_prior  # hidden from Keras: it comes last, as when it is fitted

    def __setattr__(self, name: str, value: Any) -> None:
        """As in Python, but a number for a run-time scalar is assigned to it: compiled steps read it there."""
        kept = self.__dict__.get(name)
        if isinstance(kept, keras.Variable) and isinstance(value, numbers.Real):
            checks.number(name, value)
            kept.assign(value)
        else:
            super().__setattr__(name, value)

    def ready(self) -> None:
        """Called at the end of a system's `__init__`: checks the game and makes what depends on its networks."""
        arguments, conditionals = known_so_far(self), [self.posterior_family, self.observation_model]
        for conditional in filter(None, conditionals):
            conditional.check_free()
        networks.check_presence(self.ROLES, self.networks, arguments)
        for role in (role for role in self.ROLES if role.name in self.networks):
            networks.check_shapes(role, getattr(self, role.name), arguments, self.posterior_family)
        if "decoder" in self.networks:
            networks.check_outputs(self.decoder, self.latent_dim, self.observation_model, self.classes_of("decoder"))
        moves.check(self.moves, self.phases, lambda name: isinstance(getattr(self, name, None), keras.layers.Layer))
        self._moves = {move.name: move for move in self.moves}
        self.happened = {
            phase.name: self._variable(f"{phase.name}_count", "zeros", dtype="int64")
            for phase in self.phases
            if phase.gate
        }
        densities = {name: getattr(self, name) for name in ("prior", "posterior_family")}
        moves.check_learned(
            densities, [w for move in self.moves for w in self.weights_of(move.name)], type(self).__name__
        )
        self.prior.check()
        players = [getattr(self, role.name) for role in self.ROLES if role.name in self.networks and not role.judges]
        averaged = [*players, *filter(None, [*densities.values(), self.observation_model])]
        self.averaging = RunningAverages([weight for part in averaged for weight in made_trainable(part)], self.ema)
        self.endpoints, self.checked = Endpoints(self), set()
        self._train_logs, self._test_logs = Logs("train_logs"), Logs("test_logs")
        for layer in sublayers(self):  # they have their weights; Keras would build others by a call on x alone
            layer.built = True
        if self._given_sampling_prior() is not None:
            fitting.check_support(self, self._given_sampling_prior())
            self._sample_from(self._given_sampling_prior())
        for density in filter(None, [self.prior, *conditionals]):
            density.claim(self)  # last: of what is refused above no model came

    # What a system defines ------------------------------------------------------------------------------------------

    def noise(self, draws: random.Draws) -> dict[str, tf.Tensor]:
        """The named noise of one pass."""
        raise NotImplementedError(f"{type(self).__name__} must define `noise(draws)`.")

    def forward(self, batch: Batch, noise: dict[str, tf.Tensor], phase: str) -> dict[str, tf.Tensor]:
        """The players' forward pass, shared by this phase and those that reuse it; empty where none is."""
        return {}

    def losses(self, batch: Batch, noise: dict[str, tf.Tensor], phase: str, forward: dict[str, tf.Tensor]) -> Played:
        """The losses of a phase's moves, a scalar tensor each: a pure function of data and noise."""
        raise NotImplementedError(f"{type(self).__name__} must define `losses(batch, noise, phase, forward)`.")

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """move -> the system's own optimizer."""
        raise NotImplementedError(f"{type(self).__name__} must define `default_optimizers()`.")

    def notice(self, logs: dict[str, tf.Tensor]) -> None:
        """Called every few steps of `fit` with the means of the logs so far: a system may warn of what it sees."""

    def scalar(self, name: str, value: float, least: float | None = None, most: float | None = None) -> keras.Variable:
        """A run-time scalar (lambda, beta, a weight): `model.lam.assign(0.5)` retraces nothing.

        Args:
            name: of the argument.
            value: at the start, a finite number in [least, most].
            least, most: None: no bound.
        """
        value = checks.number(name, value, least=least, most=most)
        return self._variable(name, keras.initializers.Constant(value))

    def weight(self, name: str, value: float | None, optional: bool = False) -> keras.Variable | None:
        """The run-time weight of a term: a `scalar` of at least 0; None, as given, where an optional term is not."""
        return None if optional and value is None else self.scalar(name, value, least=0)

    # The steps that Keras calls -------------------------------------------------------------------------------------

    def train_step(self, data_of_step: Any) -> dict[str, tf.Tensor]:
        """One step: all phases on a batch, then averages and counts; name -> mean of each log since the last reset."""
        batch, share, data_of_step = self._of_step(data_of_step)
        logs, weights = step.play(self, batch, share)
        count = self.steps.assign_add(1)
        step.end(self, count)
        if self.label_counts is not None:
            self.label_counts.add(batch.labels, share)
        flags = data.flags(batch, data_of_step, self._within)
        self._train_logs.update_state(logs, weights=weights, step=count, flags=flags)
        return self._train_logs.result()

    def test_step(self, data_of_step: Any) -> dict[str, tf.Tensor]:
        """One batch of evaluation, with the averaged weights; name -> mean of each measure since the last reset."""
        batch, share, data_of_step = self._of_step(data_of_step)
        before = tf.convert_to_tensor(self._test_logs.rows)
        noise = self.noise(self.draws(share, "test", before))
        with self.averaged():
            values = self.measures(batch, noise)
        weight = tf.cast(batch.rows, tf.float32) / share.copies
        means, flags = {n: tf.reduce_mean(v) for n, v in values.items()}, data.flags(batch, data_of_step, self._within)
        self._test_logs.update_state(means, weight, step=before + 1, flags=flags)
        self._test_logs.rows.assign_add(tf.cast(batch.rows if share.total is None else share.total, tf.int64))
        return self._test_logs.result()

    def predict_step(self, data_of_step: Any) -> tf.Tensor:
        """What a call gives for a batch, with the averaged weights."""
        data_of_step, _ = parted(data_of_step)
        with self.averaged():
            return self(data_of_step if self.classes is not None else data.unpack(data_of_step), training=False)

    @property
    def _within(self):
        """What the data are called, where they must lie in [0, 1]: images, and all that a likelihood has there."""
        if len(self.data_shape) == 3:
            return "images"
        return "data" if self.observation_model is not None and self.observation_model.of_unit_interval else None

    def _of_step(self, data_of_step):
        """The batch of a step, this replica's share of it, and the data as they came."""
        given, share = parted(data_of_step)
        batch = self.batch_of(given)
        return batch, share_of(batch.rows) if share is None else share, given

    def draws(self, share: Share, *place: Any) -> random.Draws:
        """The noise of this place of the run (words and numbers) for a replica's share of the rows."""
        key = random.fold(self.seed, *place)
        return random.Draws(key, share.rows, share.start, share.total, self.variable_dtype)

    def batch_of(self, data_of_step: Any) -> Batch:
        """What a step sees of a batch of data: observations, and labels where the model has `classes`."""
        x = tf.cast(data.observations(data.unpack(data_of_step), self.data_shape), self.variable_dtype)
        if self.classes is None:
            return Batch(x)
        return Batch(x, data.one_hot(data.labels_in(data_of_step), self.classes, x.dtype, x.shape[0]))

    # Networks, weights and the configuration ------------------------------------------------------------------------

    @property
    def networks(self) -> dict[str, keras.Model]:
        """role -> network, of those that this model has."""
        found = {role.name: getattr(self, role.name, None) for role in self.ROLES}
        return {name: network for name, network in found.items() if network is not None}

    def weights_of(self, move: str) -> list[keras.Variable]:
        """The weights that a move changes, those that its networks share once."""
        found = [weight for name in self._moves[move].networks for weight in getattr(self, name).trainable_variables]
        return list({id(weight): weight for weight in found}.values())

    def statistics_of(self, moving: tuple[str, ...]) -> list[keras.Variable]:
        """Batch statistics of the networks of these moves: weights that no optimizer moves, spectral vectors too."""
        names = sorted({network for move in moving for network in self._moves[move].networks})
        return [weight for name in names for weight in getattr(self, name).non_trainable_variables]

    def get_config(self) -> dict:
        return config_of(self)

    @classmethod
    def from_config(cls, config: dict) -> "Game":
        game, origin = cls(**arguments_from(config)), origin_in(config)
        game.created_as, game.trained_on = origin.get("system"), origin.get("dataset")
        return game

    def _checked_classes(self, classes):
        if classes is None:
            return None
        if why := unconditional(type(self)):
            raise ValueError(f"Argument `classes` is not taken by {type(self).__name__}: {why}. Received: {classes!r}")
        return checks.size("classes", classes, 2)

    def _check_unconditional(self, density):
        if self.classes is not None and (why := unconditional(type(self), density)):
            raise ValueError(
                f"Argument `classes` is not taken by {type(self).__name__}: {why}. Pass another `prior`, such as "
                f"'normal'. Received: {self.classes!r}"
            )

    def _decay(self, ema):
        if ema == "auto":
            return _EMA if any(role.judges for role in self.ROLES) else None
        return None if ema is None else checks.number("ema", ema, least=0, below=1, other="None or 'auto'")

    def _layers_of_networks(self):
        return [layer for network in self.networks.values() for layer in sublayers(network)]

    def _variable(self, name, initializer, shape=(), dtype=None):
        return self.add_weight(
            shape,
            initializer,
            dtype=dtype,
            trainable=False,
            autocast=False,
            name=name,
            aggregation="only_first_replica",
        )

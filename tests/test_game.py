"""The rules of the game, on a toy: phases, gates, repeats, shared networks, frozen ones, noise, averages."""

import ast
import functools
import inspect
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import same, weights
from toy import BATCH, FEATURES, Record, Toy, mean_of, network, play, vectors

from keras_ijae import random
from keras_ijae.game import GenerativeModel
from keras_ijae.game.calls import CalledByUsers
from keras_ijae.game.conditionals import Conditionals
from keras_ijae.game.step import called_directly, predicting
from keras_ijae.layers import SpectralDense
from keras_ijae.losses import gradient_penalty
from keras_ijae.models import Move, Phase, Played

GRAPH, XLA = {"jit_compile": False}, {"jit_compile": True}


def gated(gate, **about):
    """The judge's phase is gated."""
    return Toy(phases=(Phase("player", ("player",)), Phase("judge", ("judge",), gate=gate)), norm=True, **about)


def judge_and_slots(record):
    """Per step: whether judge weights or statistics, and whether judge's optimizer, changed."""
    return record.changes("judge/"), record.changes("judge_optimizer")


PARTS = (Conditionals, GenerativeModel, CalledByUsers)


@pytest.mark.parametrize("at", range(len(PARTS)), ids=[part.__name__ for part in PARTS])
def test_a_part_of_the_game_declares_what_it_takes_from_those_behind_it(at):
    nodes = [list(ast.walk(ast.parse(inspect.getsource(part)))) for part in PARTS]
    uses = [node for node in nodes[at] if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"]
    set_here = {node.attr for node in uses if isinstance(node.ctx, ast.Store)}
    known = {name for part in PARTS[: at + 1] for name in (*dir(part), *part.__annotations__)}
    assert {node.attr for node in uses} - set_here - known - set(dir(keras.Model())) == set()


def test_a_shut_gate_leaves_weights_slots_and_statistics_alone():
    record = Record()
    model = gated(lambda step, happened: step % 2 == 0)
    play(model, 4, [record])
    assert record.changes("player") == [True] * 4
    assert judge_and_slots(record) == ([True, False, True, False],) * 2


@pytest.mark.slow
def test_a_gate_knows_how_often_its_phase_happened():
    record = Record()
    model = gated(lambda step, happened: (step > 0) & (happened < 2))
    play(model, 5, [record])
    assert judge_and_slots(record) == ([False, True, True, False, False],) * 2
    assert int(model.happened["judge"].numpy()) == 2


def at_odd_steps(step, happened):
    return step % 2 == 1


def passed_on(model, batch, noise, phase):
    """What the judge makes of the player's output in the shared forward pass: reaches both networks."""
    return tf.reduce_mean(model.judge(batch.x + model.player(batch.x, training=True), training=True))


class Shared(Toy):
    """The judge looks at the player's forward pass, which its gated phase may reuse."""

    def forward(self, batch, noise, phase):
        return {"player": self.player(batch.x, training=True)}

    def losses(self, batch, noise, phase, forward):
        joined = batch.x + forward["player"] + noise["z"]
        return Played({phase: tf.reduce_mean(self.judge(joined, training=True))}, {f"{phase}_mean": batch.x[0, 0]})


@functools.cache
def eagerly(reuse):
    return run(None, reuse)


def run(how, reuse):
    """All weights and logs after four steps, the judge's phase open in two of them."""
    phases = Phase("player", ("player",)), Phase("judge", ("judge",), gate=at_odd_steps, reuse=reuse)
    model = Shared(phases=phases, norm=True)
    history = play(model, 4, how=how).history
    return weights(model), history


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "reuse"),
    [(GRAPH, False), (GRAPH, True), (XLA, True)],
    ids=["in a graph", "in a graph, reusing", "by XLA, reusing"],
)
def test_a_gated_game_is_the_same_however_it_is_run(how, reuse):
    (eager, expected), (found, history) = eagerly(reuse), run(how, reuse)
    same(eager, found, 1e-6)
    assert history == {name: pytest.approx(values, abs=1e-6) for name, values in expected.items()}


def test_a_shut_gate_logs_nothing():
    """The mean of what the phase logs is over its open steps."""
    _, history = eagerly(reuse=False)
    first = vectors(4)[::BATCH, 0]
    assert history["player_mean"] == [pytest.approx(first.mean())]
    assert history["judge_mean"] == [pytest.approx(first[1::2].mean())]


def test_what_a_shut_gate_computes_in_eager_mode_spoils_no_log():
    class Spoiled(Shared):
        def losses(self, batch, noise, phase, forward):
            played = super().losses(batch, noise, phase, forward)
            odd = at_odd_steps(tf.convert_to_tensor(self.steps), None)
            played.logs = {"seen": tf.where(odd, 2.0, np.nan)} if phase == "judge" else {}
            return played

    model = Spoiled(phases=(Phase("player", ("player",)), Phase("judge", ("judge",), gate=at_odd_steps)))
    assert play(model, 4).history["seen"] == [2.0]


def test_a_shut_gate_computes_nothing_in_a_graph():
    computed = []

    def counted(model, batch, noise, phase):
        one = tf.py_function(lambda: computed.append(phase) or 1.0, [], tf.float32)
        return tf.ensure_shape(one, []) * mean_of(phase)(model, batch, noise, phase)

    play(gated(at_odd_steps, losses={"player": counted, "judge": counted}), 5, how=GRAPH)
    assert (computed.count("player"), computed.count("judge")) == (5, 2)


@pytest.mark.slow
def test_gates_under_replicas_are_gates_on_one(two_replicas):
    alone = gated(at_odd_steps)
    expected = play(alone, 4).history
    with two_replicas.scope():
        together = gated(at_odd_steps)
    history = play(together, 4, how=GRAPH).history
    same(weights(alone), weights(together), 1e-5)
    assert history == {name: pytest.approx(values, abs=1e-5) for name, values in expected.items()}
    assert int(together.happened["judge"].numpy()) == 2


def loss():
    return tf.constant(1.0)


def rows():
    return tf.ones([BATCH])


WRONG = {
    "a tensor": (loss, "Received: .*Tensor"),
    "a dictionary": (lambda: {"player": loss()}, "Received: {'player': "),
    "nothing": (lambda: None, "Received: None"),
    "no dictionary": (lambda: Played(loss()), "Received: losses=.*Tensor"),
    "a misspelt move": (lambda: Played({"playr": loss()}), "loss or penalty of 'playr'. Did you mean 'player'?"),
    "a move of another phase": (lambda: Played({"player": loss(), "judge": loss()}), "loss or penalty of 'judge'"),
    "a move less": (Played, "Received: no loss of 'player'"),
    "a number": (lambda: Played({"player": 1.0}), "the loss of 'player' as 1.0"),
    "integers": (lambda: Played({"player": tf.constant(1)}), "the loss of 'player' as .*int32"),
    "a loss of each row": (lambda: Played({"player": rows()}), r"the loss of 'player' as .*\(4,\)"),
    "a log of each row": (lambda: Played({"player": loss()}, {"size": rows()}), "the log 'size', which must be a sca"),
    "a log that is none": (lambda: Played({"player": loss()}, {"size": None}), "the log 'size'.* as None"),
    "a penalty of each row": (lambda: Played({"player": loss()}, {}, {"player": rows()}), "the penalty of 'player' as"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_losses_that_are_none_are_refused_while_a_step_is_traced(wrong):
    class Mistaken(Toy):
        def losses(self, batch, noise, phase, forward):
            return given()

    given, received = WRONG[wrong]
    expected = r"`losses` of Mistaken must return a `Played` .* the moves \['player'\] of phase 'player'. "
    with pytest.raises(ValueError, match=f"{expected}.*{received}"):
        play(Mistaken(), 1, how=GRAPH)


def test_logs_may_be_numbers_and_scalars_of_any_type():
    logs = {"one": lambda *_: 1, "half": lambda *_: np.float64(0.5), "some": lambda *_: tf.constant(3)}
    history = play(Toy(logs=logs), 1).history
    assert (history["one"], history["half"], history["some"]) == ([1.0], [0.5], [3.0])


def mean_of_batch(model, batch, noise, phase):
    return tf.reduce_mean(batch.x)


def balanced():
    phases = Phase("player", ("player",)), Phase("judge", ("judge",), balance=lambda logs: logs["mean"] > 0)
    return Toy(phases=phases, logs={"mean": mean_of_batch})


BALANCE = np.array([1, 1, 1, 1, -1, -1, -1, -1, 3, 3, -2, -2, 2, 2, -3, -3], "float32")  # means 1, -1, 1/2, -1/2
BALANCE = BALANCE[:, None] * np.ones((1, FEATURES), "float32")


def test_a_balance_sees_the_logs_of_its_pass_and_withholds_the_moves_alone():
    record = Record()
    history = play(balanced(), 4, [record], x=BALANCE).history
    assert judge_and_slots(record) == ([True, False, True, False],) * 2
    assert history["mean"] == [pytest.approx(0.0, abs=1e-6)]  # logged in all four steps


@pytest.mark.slow
def test_replicas_balance_by_the_logs_of_the_whole_batch(two_replicas):
    """In the last two steps one replica's half has a mean above zero, the other's one below."""
    alone = balanced()
    play(alone, x=BALANCE)
    with two_replicas.scope():
        together = balanced()
    play(together, x=BALANCE)
    same(weights(alone), weights(together), 1e-5)


def test_repeats_have_fresh_noise_on_the_same_batch():
    model = Toy(phases=(Phase("player", ("player",), repeats=3), Phase("judge", ("judge",))))
    play(model, 2)
    assert [phase for phase, _, _ in model.seen] == ["player"] * 3 + ["judge"] + ["player"] * 3 + ["judge"]
    noises = [noise for _, _, noise in model.seen]
    assert len({noise.tobytes() for noise in noises}) == 8
    for at in (0, 4):
        for _, batch, _ in model.seen[at : at + 4]:
            np.testing.assert_array_equal(batch, vectors(2)[at : at + 4])


def test_every_repeat_has_a_slice_of_its_own_and_noise_of_its_size():
    model = Toy(phases=(Phase("player", ("player",), repeats=2, slices=2), Phase("judge", ("judge",))))
    play(model, 1)
    batches, noises = ([seen[at] for seen in model.seen] for at in (1, 2))
    assert [len(batch) for batch in batches] == [len(noise) for noise in noises] == [2, 2, 4]
    for index in (0, 1):
        np.testing.assert_array_equal(batches[index], vectors(1)[index::2])


def test_phases_that_begin_with_other_slices_have_data_of_their_own():
    first, other = Phase("player", ("player",), slices=3), Phase("judge", ("judge",), repeats=2, slices=3, first=1)
    model = Toy(phases=(first, other))
    play(model, 1)
    for index, (_, batch, _) in enumerate(model.seen):
        np.testing.assert_array_equal(batch, vectors(1)[index::3])


@pytest.mark.parametrize("how", [None, *(pytest.param(how, marks=pytest.mark.slow) for how in (GRAPH, XLA))], ids=str)
def test_repeats_share_the_rows_of_a_last_batch_that_is_too_small_for_their_slices(how):
    phases = Phase("player", ("player",), repeats=3, slices=3), Phase("judge", ("judge",))
    model = Toy(phases=phases)
    history = play(model, x=vectors(2)[: BATCH + 2], how=how).history
    assert np.isfinite(history["player_loss"]).all()
    assert all(np.isfinite(value).all() for value in weights(model).values())
    if how is None:
        rows = [len(batch) for phase, batch, _ in model.seen if phase == "player"]
        assert rows == [2, 1, 1, 1, 1, 1]
        np.testing.assert_array_equal(model.seen[6][1], vectors(2)[BATCH : BATCH + 1])


def test_a_batch_that_slices_would_leave_empty_is_refused_and_replicas_share_one_that_is_small(two_replicas):
    phases = Phase("player", ("player",), repeats=2, slices=BATCH), Phase("judge", ("judge",))
    alone = Toy(phases=phases)
    play(alone, 1)
    with pytest.raises(ValueError, match="cut into 4 slices, so it needs as many rows. Received: 3"):
        play(Toy(phases=phases), x=vectors(1)[:3])
    with two_replicas.scope():
        both = Toy(phases=phases)
    play(both, 1)  # the batch, too small to be shared, goes whole to each
    same(weights(alone), weights(both), 1e-6)


def test_a_phase_whose_forward_pass_is_made_once_has_fresh_noise_each_time():
    phases = Phase("player", ("player",), repeats=3, once=True), Phase("judge", ("judge",), reuse=True)
    model, passes = Toy(phases=phases), []
    model.forward = lambda batch, noise, phase: passes.append(noise["z"].numpy()) or {"of": len(passes)}
    losses, given = model.losses, []
    model.losses = lambda *arguments: given.append(arguments[3]["of"]) or losses(*arguments)
    play(model, 2)
    assert given == [1] * 4 + [2] * 4
    noises = [noise for _, _, noise in model.seen]
    assert len({noise.tobytes() for noise in noises}) == 6
    for at in (0, 4):
        np.testing.assert_array_equal(passes[at // 4], noises[at])
        np.testing.assert_array_equal(noises[at + 2], noises[at + 3])  # the judge reuses the last


def test_a_phase_that_reuses_has_the_same_noise():
    model = Toy(phases=(Phase("player", ("player",)), Phase("judge", ("judge",), reuse=True)))
    play(model, 2)
    first, second, third, fourth = (noise for _, _, noise in model.seen)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(third, fourth)
    assert not np.array_equal(first, third)


def test_many_games_are_no_function_that_is_traced_again_and_again(caplog):
    """Of Keras' own functions TensorFlow warns from the fifth model on."""
    for _ in range(7):
        game = types.SimpleNamespace(
            distribute_strategy=tf.distribute.get_strategy(),
            run_eagerly=False,
            jit_compile=False,
            predict_step=tf.square,
        )
        step, predict = called_directly(game, tf.square), predicting(game)
        assert float(step(iter([tf.constant(3.0)]))) == float(predict([tf.constant(3.0)])) == 9
    assert "retracing" not in caplog.text


def test_a_run_repeats_itself_and_counts_its_steps():
    one, two = Toy(), Toy()
    play(one, 3), play(two, 3)
    assert int(one.steps.numpy()) == 3
    for (_, _, left), (_, _, right) in zip(one.seen, two.seen, strict=True):
        np.testing.assert_array_equal(left, right)
    same(weights(one), weights(two))


def test_replicas_cut_their_noise_out_of_the_global_batch():
    key = random.fold(0, "train", 5)
    whole = random.Draws(key, 8).normal("z", 3).numpy()
    parts = [random.Draws(key, 4, 4 * replica, 8).normal("z", 3).numpy() for replica in (0, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(*parts)


def test_two_moves_share_a_network_with_optimizers_of_their_own():
    moves = (Move("up", ("player",)), Move("down", ("player",)), Move("judge", ("judge",)))
    losses = {"up": mean_of("player"), "down": lambda *place: 3 * mean_of("player")(*place), "judge": mean_of("judge")}
    model = Toy(losses=losses, moves=moves, phases=(Phase("all", ("up", "down", "judge")),))
    record = Record()
    play(model, 1, [record], how={"optimizer": {"up": keras.optimizers.SGD(0.1), "down": keras.optimizers.SGD(0.01)}})
    bias = [name for name in record.states[0] if "player" in name and "bias" in name][-1]
    np.testing.assert_allclose(record.states[1][bias] - record.states[0][bias], -0.1 - 0.01 * 3, rtol=1e-5)
    assert {len(model.optimizer.by_move[name].variables) for name in ("up", "down")} == {2}
    assert model.optimizer.by_move["up"] is not model.optimizer.by_move["down"]


def test_a_weight_that_two_networks_of_a_move_share_moves_once_a_step():
    shared = keras.layers.Dense(1, use_bias=False)
    model = Toy(
        player=keras.Sequential([keras.Input((FEATURES,)), shared]),
        moves=(Move("both", ("player", "judge")),),
        phases=(Phase("both", ("both",)),),
        losses={"both": mean_of("player")},
    )
    model.judge = model.player
    before = shared.kernel.numpy()
    play(model, 1)
    np.testing.assert_allclose(before - shared.kernel.numpy(), 0.1 * vectors(1).mean(0)[:, None], rtol=1e-5)


@pytest.mark.parametrize(
    ("moves", "phases", "message"),
    [
        (
            [Move("player", ("player",))],
            [Phase("one", ("player",), gate=lambda step, happened: step > 0, balance=lambda logs: logs["x"] > 0)],
            "'one' can have a `gate` or a `balance`, not both",
        ),
        ([Move("player", ("player",)), Move("idle", ("judge",))], [Phase("one", ("player",))], "no phase.*idle"),
        ([Move("player", ("player",))], [Phase("one", ("playr",))], "unknown move 'playr'.*player"),
        ([Move("player", ("plyer",))], [Phase("one", ("player",))], "'player' changes.*plyer.*does not have"),
        ([Move("player", ("player",))] * 2, [Phase("one", ("player",))], "names of their own"),
        ([Move("player", ("player",))], [Phase("one", ("player",), reuse=True)], "'one' cannot reuse"),
        ([Move("player", ("player",))], [Phase("one", ("player",), repeats=0)], "repeats.*at least 1.*0"),
        ([Move("player", ("player",))], [Phase("one", ("player",), slices=0)], "`slices` must be 1, or at least.*: 0"),
        (
            [Move("player", ("player",))],
            [Phase("one", ("player",), 3, slices=2)],
            r"`first` \+ `repeats`=3. Received: 2",
        ),
        ([Move("player", ("player",))], [Phase("one", ("player",), slices=2, first=2)], r"`repeats`=3. Received: 2"),
        ([Move("player", ("player",))], [Phase("one", ("player",), first=1)], "`first` must be one of .*Received: 1"),
        ([Move("player", ("player",))], [Phase("one", ("player",), slices=2, first=-1)], "`first` must be.*: -1"),
        ([Move("player", ("player",))], [Phase("one", ("player",), once=True, slices=2)], "once.*excludes `slices`"),
        ([Move("player", ("player",))], [Phase("one", ("player",), once=True, gate=bool)], "once.*excludes.*`gate`"),
        (
            [Move("player", ("player",)), Move("judge", ("judge",))],
            [Phase("one", ("player",), gate=at_odd_steps), Phase("two", ("judge",), reuse=True)],
            "'two' cannot reuse.*gate",
        ),
        (
            [Move("player", ("player",)), Move("again", ("player",))],
            [Phase("one", ("player",)), Phase("two", ("again",), reuse=True)],
            "'two' cannot reuse.*player.*changed",
        ),
    ],
)
def test_what_is_no_game_is_refused(moves, phases, message):
    with pytest.raises(ValueError, match=message):
        Toy(moves=tuple(moves), phases=tuple(phases))


def test_networks_that_do_not_move_keep_their_statistics():
    phases = (Phase("judge", ("judge",)), Phase("player", ("player",), gate=lambda step, happened: step < 0))
    model = Toy(losses={"player": passed_on, "judge": passed_on}, phases=phases, norm=True)
    record = Record()
    play(model, 2, [record])
    assert record.changes("judge/batch_normalization") == [True, True]
    assert record.changes("player/") == [False, False]


def spectral():
    layers = [SpectralDense(4, name="spectral"), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((FEATURES,)), *layers], name="player")


def test_spectral_vectors_advance_once_a_step_and_never_in_a_forward_pass():
    model = Toy(phases=(Phase("player", ("player",), repeats=3), Phase("judge", ("judge",))), player=spectral())
    layer = model.player.layers[0]
    u = layer.u.numpy()
    model.compile(run_eagerly=True)
    model.evaluate(vectors(1), verbose=0)
    model.player(vectors(1), training=True)
    np.testing.assert_array_equal(layer.u.numpy(), u)
    play(model, 1)
    kernel = layer.kernel.numpy()
    once = kernel @ (kernel.T @ u / np.linalg.norm(kernel.T @ u))
    np.testing.assert_allclose(layer.u.numpy(), once / np.linalg.norm(once), atol=1e-6)


def critic(interpolation):
    inputs = keras.Input((FEATURES,))
    h = keras.layers.UpSampling2D(2, interpolation=interpolation)(keras.layers.Reshape((FEATURES, 1, 1))(inputs))
    h = keras.layers.Dense(4, activation="tanh")(keras.layers.Flatten()(h))
    return keras.Model(inputs, keras.layers.Dense(1)(h), name="player")


def penalised(interpolation, player=None):
    def penalty(model, batch, noise, phase):
        return gradient_penalty(lambda x: model.player(x[0], training=True), [batch.x])

    return Toy(penalties={"player": penalty}, player=player or critic(interpolation))


def test_a_penalty_that_reaches_no_weight_is_an_error():
    with pytest.raises(ValueError, match="penalty of move 'player' reaches none of its weights"):
        play(penalised("bilinear"), 1)


def test_a_penalty_of_a_frozen_network_need_reach_nothing():
    frozen = critic("nearest")
    frozen.trainable = False
    model = penalised("nearest", frozen)
    before = [weight.numpy() for weight in frozen.weights]
    assert np.isfinite(play(model, 1).history["player_loss"]).all()
    for weight, was in zip(frozen.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), was)


def with_layer(layer):
    return keras.Sequential([keras.Input((FEATURES,)), layer, keras.layers.Dense(1)], name="player")


@pytest.mark.parametrize("how", [None, GRAPH], ids=str)
def test_a_layer_that_assigns_to_a_weight_that_is_trained_is_refused_with_the_remedy(how):
    model = Toy(player=with_layer(keras.layers.SpectralNormalization(keras.layers.Dense(4, name="inner"))))
    with pytest.raises(ValueError, match="'.*inner/kernel' is assigned by .*and also trained.*ki.layers.SpectralDense"):
        play(model, 1, how=how)


class Adding(keras.layers.Layer):
    """Adds a loss of its own."""

    def call(self, inputs):
        self.add_loss(keras.ops.sum(inputs))
        return inputs


ADDS = {
    "a weight's": (keras.layers.Dense(4, name="inner", kernel_regularizer="l2"), "weight '.*inner/kernel' has a regul"),
    "an activity's": (keras.layers.Dense(4, name="inner", activity_regularizer="l2"), "layer '.*inner' adds a loss"),
    "one by add_loss": (Adding(name="inner"), "layer '.*inner' adds a loss"),
}


@pytest.mark.parametrize("how", [None, GRAPH], ids=str)
@pytest.mark.parametrize("adds", ADDS)
def test_a_loss_of_a_layer_that_would_have_no_effect_is_refused_with_the_remedy(adds, how):
    layer, message = ADDS[adds]
    with pytest.raises(ValueError, match=f"{message}.*would have no effect.*`weight_decay`"):
        play(Toy(player=with_layer(type(layer).from_config(layer.get_config()))), 1, how=how)


def test_a_penalty_that_reaches_the_weights_is_added():
    plain = Toy(player=critic("nearest"))
    model = penalised("nearest")
    play(plain, 1), play(model, 1)
    assert not np.array_equal(plain.player.trainable_variables[0].numpy(), model.player.trainable_variables[0].numpy())


def test_averages_follow_their_formula():
    model, record = Toy(ema=0.25), Record()
    start = [weight.numpy() for weight in model.player.trainable_variables]
    play(model, 4, [record])
    kernels = [next(v for name, v in state.items() if "player" in name and "kernel" in name) for state in record.states]
    expected = start[0]
    for step, kernel in enumerate(kernels[1:], 1):
        decay = min(0.25, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * kernel
    weight, average = model.averages[0]
    np.testing.assert_allclose(average.numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(weight.numpy(), kernels[-1])
    assert len(model.averages) == len(model.player.trainable_variables)


class Weighed(Toy):
    """Has a run-time scalar, which is logged."""

    def __init__(self, **toy):
        super().__init__(logs={"factor": lambda model, *_: tf.convert_to_tensor(model.factor)}, **toy)

    def ready(self):
        self.factor = self.scalar("factor", 1.0)
        super().ready()


def test_a_number_in_the_place_of_a_run_time_scalar_is_assigned_to_it():
    model = Weighed()
    scalar = model.factor
    assert play(model, 1, how=GRAPH).history["factor"] == [1.0]
    for number in (100.0, np.float32(0.5), 3):
        model.factor = number
        assert model.factor is scalar
        assert model.fit(vectors(1), verbose=0).history["factor"] == [number]
    with pytest.raises(ValueError, match="`factor` must be .*Received: factor=nan"):
        model.factor = float("nan")


def test_logs_are_means_over_one_epoch_and_say_their_names():
    model = Toy(logs={"mean": mean_of_batch})
    data = vectors(4)
    history = play(model, 4, how=GRAPH, x=data, epochs=2).history
    assert set(history) == {"player_loss", "judge_loss", "mean"}
    np.testing.assert_allclose(history["mean"], [data.mean()] * 2, atol=1e-6)


@pytest.mark.slow
def test_evaluation_on_two_replicas_is_that_of_one(two_replicas):
    with two_replicas.scope():
        model = Toy()
        model.compile(**GRAPH)
    scores = model.evaluate(vectors(3), batch_size=BATCH, verbose=0, return_dict=True)
    np.testing.assert_allclose(scores["mean"], vectors(3).mean(), atol=1e-6)


def test_evaluation_weighs_batches_by_their_rows():
    model, data = Toy(), vectors(4)[:10]
    model.compile(run_eagerly=True)
    scores = model.evaluate(data, batch_size=4, verbose=0, return_dict=True)
    np.testing.assert_allclose(scores["mean"], data.mean(), atol=1e-6)


class Noticing(Toy):
    """Remembers what it is shown in `fit`."""

    noticed = None

    def notice(self, logs):
        self.noticed = [*(self.noticed or []), float(logs["mean"])]


@pytest.mark.slow
def test_a_system_is_shown_the_means_of_its_logs_but_not_those_that_validation_has_reset():
    model, data = Noticing(logs={"mean": mean_of_batch}), vectors(25) + 1
    play(model, how=GRAPH, x=data, epochs=2)
    first, early, whole = (data[: steps * BATCH].mean() for steps in (1, 21, 25))
    np.testing.assert_allclose(model.noticed, [early, whole, first, early, whole], rtol=1e-5)
    model.noticed = []
    model.fit(data, batch_size=BATCH, validation_data=data, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.noticed, [early, whole], rtol=1e-5)


WEIGHTED = "Examples cannot be weighted: .* whole batches.*Repeat examples"


def test_weights_of_examples_and_classes_are_refused_with_the_reason():
    model, x, y, w = Toy(), vectors(1), np.zeros(BATCH), np.ones(BATCH, "float32")
    model.compile(run_eagerly=True)
    triples = tf.data.Dataset.from_tensors((x, y, w))
    for refused in (
        lambda: model.fit(x, sample_weight=w),
        lambda: model.fit(x, class_weight={0: 1.0, 1: 2.0}),
        lambda: model.evaluate(x, sample_weight=w),
        lambda: model.fit(triples),
        lambda: model.fit(x, validation_data=triples),
        lambda: model.fit(x, validation_data=(x, y, w)),
        lambda: model.evaluate(triples),
        lambda: model.train_on_batch(x, sample_weight=w),
        lambda: model.train_on_batch(x, class_weight={0: 1.0, 1: 2.0}),
        lambda: model.test_on_batch(x, sample_weight=w),
    ):
        with pytest.raises(ValueError, match=WEIGHTED):
            refused()
    assert int(model.steps.numpy()) == 0


def test_losses_and_metrics_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match="`loss` is not taken: a system's losses are its own. Received: 'mse'"):
        Toy().compile(loss="mse")
    with pytest.raises(ValueError, match=r"`metrics` is not taken: .*MetricsCallback.*evaluate. Received: \['mae'\]"):
        Toy().compile(metrics=["mae"])


def test_a_network_of_the_game_can_be_any_keras_model():
    model = Toy(player=network("player"))
    record = Record()
    play(model, 1, [record])
    assert record.changes("player/") == [True]

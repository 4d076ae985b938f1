"""The rules of the game, on a toy: phases, gates, repeats, shared networks, frozen ones, noise, averages."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import moved, same, weights
from toy import BATCH, FEATURES, Record, Toy, mean_of, network, play, vectors

from keras_ijae import random
from keras_ijae.layers import SpectralDense
from keras_ijae.models import Move, Phase


def gated(gate):
    return Toy(phases=(Phase("player", ("player",)), Phase("judge", ("judge",), gate=gate)), norm=True)


def judge_and_slots(record):
    """Per step: whether judge weights or statistics, and whether judge's optimizer, changed."""
    return record.changes("judge/"), record.changes("judge_optimizer")


def test_a_closed_gate_leaves_weights_slots_and_statistics_alone():
    record = Record()
    model = gated(lambda step, happened, logs: step % 2 == 0)
    play(model, 4, [record])
    assert record.changes("player") == [True] * 4
    assert judge_and_slots(record) == ([True, False, True, False],) * 2


def test_a_gate_knows_how_often_its_phase_happened():
    record = Record()
    play(gated(lambda step, happened, logs: (step > 0) & (happened < 2)), 5, [record])
    assert judge_and_slots(record) == ([False, True, True, False, False],) * 2


def mean_of_batch(model, batch, noise, phase):
    return tf.reduce_mean(batch)


def test_a_gate_sees_the_logs_of_its_pass():
    record = Record()
    phases = (
        Phase("player", ("player",)),
        Phase("judge", ("judge",), gate=lambda step, happened, logs: logs["mean"] > 0),
    )
    model = Toy(phases=phases, logs={"mean": mean_of_batch})
    x = np.repeat(np.array([1, -1, -1, 1], "float32"), BATCH)[:, None] * np.ones((1, FEATURES), "float32")
    play(model, 4, [record], x=x)
    assert record.changes("judge/") == [True, False, False, True]


@pytest.mark.parametrize("opened", [False, True])
def test_gates_under_replicas_are_gates_on_one(two_replicas, opened):
    alone = gated(lambda step, happened, logs: step < opened * 2)
    play(alone, 3)
    with two_replicas.scope():
        together = gated(lambda step, happened, logs: step < opened * 2)
    before = weights(together)
    play(together, 3, how={})
    same(weights(alone), weights(together), 1e-5)
    judge = [name for name in moved(before, weights(together)) if "judge/" in name]
    assert bool(judge) == opened


def test_repeats_have_fresh_noise_on_the_same_batch():
    model = Toy(phases=(Phase("player", ("player",), repeats=3), Phase("judge", ("judge",))))
    play(model, 2)
    assert [phase for phase, _, _ in model.seen] == ["player"] * 3 + ["judge"] + ["player"] * 3 + ["judge"]
    noises = [noise for _, _, noise in model.seen]
    assert len({noise.tobytes() for noise in noises}) == 8
    for at in (0, 4):
        for _, batch, _ in model.seen[at : at + 4]:
            np.testing.assert_array_equal(batch, vectors(2)[at : at + 4])


def test_slices_part_the_batch():
    model = Toy(phases=(Phase("player", ("player",), repeats=2, slices=True), Phase("judge", ("judge",))))
    play(model, 1)
    batches = [batch for _, batch, _ in model.seen]
    assert [len(batch) for batch in batches] == [2, 2, 4]
    np.testing.assert_array_equal(np.concatenate(batches[:2]), vectors(1))


def test_a_phase_whose_forward_pass_is_made_once_has_fresh_noise_each_time():
    phases = Phase("player", ("player",), repeats=3, once=True), Phase("judge", ("judge",), reuse=True)
    model, passes = Toy(phases=phases), []
    model.forward = lambda batch, noise: passes.append(noise["z"].numpy()) or {"of": len(passes)}
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
    parts = [random.Draws(key, 4, replica, 2).normal("z", 3).numpy() for replica in (0, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(*parts)


def test_two_moves_share_a_network_with_optimizers_of_their_own():
    moves = (Move("up", ("player",)), Move("down", ("player",)), Move("judge", ("judge",)))
    losses = {"up": mean_of("player"), "down": lambda *place: 3 * mean_of("player")(*place), "judge": mean_of("judge")}
    model = Toy(losses, moves, (Phase("all", ("up", "down", "judge")),))
    record = Record()
    play(model, 1, [record], how={"optimizer": {"up": keras.optimizers.SGD(0.1), "down": keras.optimizers.SGD(0.01)}})
    bias = [name for name in record.states[0] if "player" in name and "bias" in name][-1]
    np.testing.assert_allclose(record.states[1][bias] - record.states[0][bias], -0.1 - 0.01 * 3, rtol=1e-5)
    assert {len(model.optimizer.by_move[name].variables) for name in ("up", "down")} == {2}
    assert model.optimizer.by_move["up"] is not model.optimizer.by_move["down"]


@pytest.mark.parametrize(
    ("moves", "phases", "message"),
    [
        ([Move("player", ("player",)), Move("idle", ("judge",))], [Phase("one", ("player",))], "no phase.*idle"),
        ([Move("player", ("player",))], [Phase("one", ("playr",))], "unknown move 'playr'.*player"),
        ([Move("player", ("plyer",))], [Phase("one", ("player",))], "'player' changes.*plyer.*does not have"),
        ([Move("player", ("player",))] * 2, [Phase("one", ("player",))], "names of their own"),
        ([Move("player", ("player",))], [Phase("one", ("player",), reuse=True)], "'one' cannot reuse"),
        ([Move("player", ("player",))], [Phase("one", ("player",), repeats=0)], "repeats.*at least 1.*0"),
        ([Move("player", ("player",))], [Phase("one", ("player",), once=True, slices=True)], "once.*excludes `slices`"),
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


def judged(model, batch, noise, phase):
    return tf.reduce_mean(model.judge(batch + model.player(batch, training=True), training=True))


def test_networks_that_do_not_move_keep_their_statistics():
    phases = (Phase("judge", ("judge",)), Phase("player", ("player",), gate=_never))
    model = Toy({"player": judged, "judge": judged}, phases=phases, norm=True)
    record = Record()
    play(model, 2, [record])
    assert record.changes("judge/batch_normalization") == [True, True]
    assert record.changes("player/") == [False, False]


def _never(step, happened, logs):
    return step < 0


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


def penalised(interpolation):
    from keras_ijae.losses import gradient_penalty

    penalty = lambda model, batch, noise, phase: gradient_penalty(lambda x: model.player(x[0], training=True), [batch])  # noqa: E731
    return Toy(penalties={"player": penalty}, player=critic(interpolation))


def test_a_penalty_that_reaches_no_weight_is_an_error():
    with pytest.raises(ValueError, match="penalty of move 'player' reaches none of its weights"):
        play(penalised("bilinear"), 1)


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


def test_logs_are_means_over_one_epoch_and_say_their_names():
    model = Toy(logs={"mean": mean_of_batch})
    data = vectors(4)
    history = play(model, 4, how={}, x=data, epochs=2).history
    assert set(history) == {"player_loss", "judge_loss", "mean"}
    np.testing.assert_allclose(history["mean"], [data.mean()] * 2, atol=1e-6)


def test_logs_of_two_replicas_are_those_of_one(two_replicas):
    data = vectors(4)
    with two_replicas.scope():
        model = Toy(logs={"mean": mean_of_batch})
    history = play(model, 4, how={}, x=data).history
    np.testing.assert_allclose(history["mean"], [data.mean()], atol=1e-6)
    scores = model.evaluate(data, batch_size=BATCH, verbose=0, return_dict=True)
    np.testing.assert_allclose(scores["mean"], data.mean(), atol=1e-6)


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


def test_a_system_is_shown_the_means_of_its_logs_but_not_those_that_validation_has_reset():
    model, data = Noticing(logs={"mean": mean_of_batch}), vectors(25) + 1
    play(model, how={}, x=data, epochs=2)
    first, early, whole = (data[: steps * BATCH].mean() for steps in (1, 21, 25))
    np.testing.assert_allclose(model.noticed, [early, whole, first, early, whole], rtol=1e-5)
    model.noticed = []
    model.fit(data, batch_size=BATCH, validation_data=data, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.noticed, [early, whole], rtol=1e-5)


def test_a_network_of_the_game_can_be_any_keras_model():
    model = Toy(player=network("player"))
    record = Record()
    play(model, 1, [record])
    assert record.changes("player/") == [True]

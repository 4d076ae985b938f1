"""Optimizers of a game: defaults, overrides, schedules, clipping, decay, and Keras' learning-rate callbacks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import same, weights
from toy import Record, Toy, mean_of, play

import keras_ijae as ki
from keras_ijae.game.optimizers import Optimizers
from keras_ijae.keras_internals import in_one_operation
from keras_ijae.models import Move, Phase

SGD = keras.optimizers.SGD


def rates(model):
    return [float(optimizer.learning_rate.numpy()) for optimizer in model.optimizer.optimizers]


def test_compile_alone_takes_the_systems_own():
    model = Toy()
    play(model, 1)
    assert list(model.optimizer.by_move) == ["player", "judge"]
    assert rates(model) == pytest.approx([0.1, 0.1])
    asked = model.optimizer.get_config()
    assert {move: config["learning_rate"] for move, config in asked.items()} == pytest.approx(
        {"player": 0.1, "judge": 0.1}
    )


def test_one_rate_for_all_scales_those_behind_a_loss_scale():
    given = {"player": keras.optimizers.LossScaleOptimizer(SGD(0.1)), "judge": SGD(0.4)}
    optimizers = Optimizers(given)
    optimizers.learning_rate = 0.01
    assert [float(one.learning_rate) for one in optimizers.optimizers] == pytest.approx([0.01, 0.04])


def test_rates_keep_their_proportions_beyond_a_rate_of_0():
    optimizers = Optimizers({"player": SGD(0.1), "judge": SGD(0.4)})
    optimizers.optimizers[1].learning_rate = 0.2
    for rate in (0.0, 0.0, 0.01):
        optimizers.learning_rate = rate
        assert [float(one.learning_rate) for one in optimizers.optimizers] == pytest.approx([rate, 2 * rate])


def test_a_first_rate_of_0_has_no_proportions_and_that_is_said():
    optimizers = Optimizers({"player": SGD(0.0), "judge": SGD(0.4)})
    with pytest.raises(ValueError, match="first move's was 0 when the model was compiled.*Received: 0.01"):
        optimizers.learning_rate = 0.01
    optimizers.learning_rate = 0.0  # as it is: a schedule that keeps a rate sets it so
    assert float(optimizers.optimizers[1].learning_rate) == pytest.approx(0.4)


def test_a_dictionary_overrides_some():
    model = Toy()
    play(model, 1, how={"optimizer": {"judge": keras.optimizers.Adam(0.3)}, "run_eagerly": True})
    assert isinstance(model.optimizer.by_move["judge"], keras.optimizers.Adam)
    assert rates(model) == pytest.approx([0.1, 0.3])


ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3}}


@pytest.mark.parametrize("given", ["adam", keras.optimizers.Adam(1e-3), ADAM], ids=["name", "instance", "dict"])
def test_one_optimizer_is_copied_for_every_move(given):
    model = Toy()
    play(model, 2, how={"optimizer": given, "run_eagerly": True})
    player, judge = model.optimizer.by_move.values()
    assert player is not judge and player is not given
    assert rates(model) == pytest.approx([1e-3, 1e-3])
    assert int(player.iterations.numpy()) == int(judge.iterations.numpy()) == 2


def steps_of(optimizer, steps=3):
    """The player's last bias, whose gradient is 1, after each step."""
    model, record = Toy(), Record()
    play(model, steps, [record], how={"optimizer": {"player": optimizer}, "run_eagerly": True})
    name = [name for name in record.states[0] if "bias" in name and "optimizer" not in name and "momentum" not in name][
        1
    ]
    return np.array([state[name][0] for state in record.states])


def test_schedules_follow_the_steps():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
    np.testing.assert_allclose(np.diff(steps_of(SGD(schedule))), [-0.5, -0.5, -0.25], rtol=1e-5)


def test_clipping_works():
    np.testing.assert_allclose(np.diff(steps_of(SGD(1.0, clipnorm=0.01))), [-0.01] * 3, rtol=1e-4)
    np.testing.assert_allclose(np.diff(steps_of(SGD(1.0, clipvalue=0.02))), [-0.02] * 3, rtol=1e-4)


def test_weight_decay_works():
    found = steps_of(SGD(0.1, weight_decay=0.5))
    np.testing.assert_allclose(found[1:], found[:-1] * (1 - 0.1 * 0.5) - 0.1, rtol=1e-5)


def test_a_learning_rate_scheduler_moves_every_optimizer():
    model, record = Toy(), []
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: record.append(rates(model)))
    given = {"judge": SGD(0.4)}
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / (1 + epoch))
    play(model, 1, [scheduler, seen], how={"optimizer": given, "run_eagerly": True}, epochs=2)
    assert record == [pytest.approx([0.1, 0.4]), pytest.approx([0.05, 0.2])]


def test_reduce_on_plateau_moves_every_optimizer():
    model = Toy()
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="still", factor=0.5, patience=1, mode="min", min_lr=0.0)
    still = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(still=1.0))
    play(model, 1, [still, plateau], epochs=3)
    assert rates(model) == pytest.approx([0.025, 0.025])


def test_a_callback_on_a_schedule_says_what_is_wrong():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        play(Toy(), 1, [scheduler], how={"optimizer": SGD(schedule)})


def test_one_rate_for_all_is_refused_where_a_schedule_sets_one():
    model = Toy()
    model.compile({"judge": SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))})
    with pytest.raises(ValueError, match="LearningRateSchedule sets it, here of the moves judge: .*Received: 0.01"):
        model.optimizer.learning_rate = 0.01
    assert rates(model) == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jduge": "sgd"}, r"unknown moves \['jduge'\].*\['judge', 'player'\]"),
        ({"judge": 3}, "'judge' must be a Keras optimizer. Received: 3"),
        ({"judge": "sdg"}, "'judge' must be a Keras optimizer. Received: 'sdg'"),
        ({"judge": SGD(gradient_accumulation_steps=2)}, "'judge'.*gradient_accumulation_steps.*larger batch"),
        ({"judge": SGD(use_ema=True)}, "'judge'.*use_ema.*`ema`"),
        ({"judge": keras.optimizers.LossScaleOptimizer(SGD(use_ema=True))}, "'judge'.*use_ema.*`ema`"),
    ],
)
def test_what_is_no_optimizer_for_a_move_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Toy().compile(given)


SCALED = keras.optimizers.LossScaleOptimizer


@pytest.mark.parametrize("given", [SGD(0.1, loss_scale_factor=64.0), SCALED(SGD(0.1, loss_scale_factor=64.0), 4.0)])
def test_scales_of_losses_change_no_step(given):
    np.testing.assert_allclose(steps_of(given), steps_of(SGD(0.1)), rtol=1e-5)


class Own(SGD):
    """An optimizer that is not registered with Keras."""


@pytest.mark.parametrize("given", [SCALED(SGD(0.01)), Own(0.01), keras.optimizers.Lion(0.01)])
def test_optimizers_of_every_kind_are_copied_for_every_move(given):
    model = Toy()
    model.compile(given)
    for optimizer in model.optimizer.by_move.values():
        assert type(optimizer) is type(given) and optimizer is not given
    assert rates(model) == pytest.approx([0.01, 0.01])


def test_an_optimizer_that_cannot_be_copied_is_refused_with_a_way_out():
    with (
        pytest.warns(UserWarning, match="includes a `lambda`"),
        pytest.raises(ValueError, match="cannot make a copy for each: pass a dictionary move -> optimizer"),
    ):
        Toy().compile(SGD(lambda: 0.1))


def test_what_is_left_out_of_weight_decay_is_left_out_of_every_move():
    given = keras.optimizers.AdamW(1e-9, weight_decay=1e6)
    given.exclude_from_weight_decay(var_names=["bias"])
    model = Toy()
    model.compile(given)
    for optimizer in model.optimizer.by_move.values():
        kept = {variable.name: optimizer._use_weight_decay(variable) for variable in model.weights_of("player")}
        assert kept == {"kernel": True, "bias": False}


def test_a_summary_is_printed_of_a_new_a_compiled_and_a_loaded_model(tmp_path):
    model, lines = ki.create("gan", (2,), 2, width=4), []
    model.summary(print_fn=lines.append)
    model.compile("adam")
    model.save(tmp_path / "m.keras")
    for one in (model, keras.models.load_model(tmp_path / "m.keras")):
        moves = one.optimizer.by_move.values()
        counted = sum(variable.shape.num_elements() for optimizer in moves for variable in optimizer.variables)
        one.summary(print_fn=lambda line, **_: lines.append(line))
        assert f"Optimizer params: {counted} " in lines[-1]
    assert len(lines) >= 3 and "decoder" in lines[0]


def test_one_instance_cannot_serve_two_moves():
    shared = SGD(0.1)
    with pytest.raises(ValueError, match="one optimizer instance to several moves"):
        Toy().compile({"player": shared, "judge": shared})


def test_two_moves_that_lower_one_tensor_move_as_if_alone():
    moves = (Move("player", ("player",)), Move("judge", ("judge",)))
    phases = (Phase("both", ("player", "judge")),)
    both = lambda *place: mean_of("player")(*place) + mean_of("judge")(*place)  # noqa: E731
    separate = Toy(losses={"player": both, "judge": both}, moves=moves, phases=phases)

    class Shared(Toy):
        def losses(self, batch, noise, phase, forward):
            played = super().losses(batch, noise, phase, forward)
            played.losses["judge"] = played.losses["player"]
            return played

    shared = Shared(losses={"player": both, "judge": both}, moves=moves, phases=phases)
    play(separate, 2), play(shared, 2)
    same(weights(separate), weights(shared), 1e-6)


@pytest.mark.parametrize("made", [{}, {"clipnorm": 0.5}, {"amsgrad": True}, {"weight_decay": 0.1}, {"epsilon": 1e-3}])
def test_adam_in_one_operation_moves_as_keras_adam_does_also_where_gradients_are_of_some_rows(made):
    rng = np.random.default_rng(0)
    start, *gradients = [[rng.normal(size=shape).astype(np.float32) for shape in ((5, 3), (4,))] for _ in range(5)]

    def moved(prepare):
        variables = [keras.Variable(value) for value in start]
        optimizer = keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, **made)
        optimizer.build(variables)
        prepare(optimizer)

        @tf.function(autograph=False)
        def step(rows, whole):
            some = tf.IndexedSlices(rows[1:3], tf.constant([3, 0]), tf.constant([5, 3], tf.int64))
            optimizer.apply([rows if "clipnorm" in made else some, whole], variables)

        for rows, whole in gradients:
            step(tf.constant(rows), tf.constant(whole))
        return [v.numpy() for v in (*variables, *optimizer.variables)]

    for in_one, by_keras in zip(moved(in_one_operation), moved(lambda optimizer: None), strict=True):
        np.testing.assert_allclose(in_one, by_keras, rtol=2e-5, atol=1e-6)

"""Real processes: collectives, every scheme against its formula and one process, and what goes wrong."""

import os

import numpy as np
import pytest

from fmkit import parallel, scaling
from fmkit.lab.workbench import scale
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.params import count, flatten

# ------------------------------------------------------------------------------------------------- processes


def pid_and_rank(ring):
    return os.getpid(), ring.rank


def test_processes_are_real_and_answer_in_order():
    found = parallel.run_ranks(pid_and_rank, 3)
    assert [rank for _, rank in found] == [0, 1, 2]
    assert len({pid for pid, _ in found} | {os.getpid()}) == 4


def raises(ring):
    if ring.rank == 1:
        raise ValueError("no room")
    return parallel.all_reduce(ring, np.ones(4))


def leaves(ring):
    if ring.rank == 2:
        os._exit(7)
    return parallel.all_reduce(ring, np.ones(4))


def waits(ring):
    return ring.receive(float)


@pytest.mark.parametrize(
    ("task", "size", "message"),
    [
        (raises, 3, "rank 1: ValueError: no room"),
        (leaves, 3, "rank 2 ended without an answer, exit code 7"),
        (waits, 2, "no answer of rank 0, 1 after 0.5 s"),
    ],
)
def test_a_process_that_dies_or_waits_for_ever_is_an_error(task, size, message):
    seconds = 0.5 if task is waits else 60.0
    with pytest.raises(RuntimeError, match=message):
        parallel.run_ranks(task, size, seconds=seconds)


def children():
    here = os.getpid()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == here:
            found.append(int(name))
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_no_process_is_left_behind():
    before = set(children())
    with pytest.raises(RuntimeError):
        parallel.run_ranks(raises, 4)
    parallel.run_ranks(pid_and_rank, 2)
    assert set(children()) <= before


def sends_much(ring):
    """Both send before either receives: more than a pipe holds."""
    ring.post(np.full(500_000, float(ring.rank)))
    return ring.receive(float)[0], ring.sent, ring.messages


def test_large_messages_do_not_block():
    assert parallel.run_ranks(sends_much, 2) == [(1.0, 4_000_000, 1), (0.0, 4_000_000, 1)]


# ----------------------------------------------------------------------------------------------- collectives


def all_three(ring, xs):
    x = xs[ring.rank]
    whole = parallel.all_reduce(ring, x)
    sent = ring.sent
    most = parallel.all_reduce(ring, x, np.maximum)
    piece = parallel.reduce_scatter(ring, x)
    return whole, most, piece, parallel.all_gather(ring, piece).reshape(x.shape), sent


@pytest.mark.parametrize(("n", "shape"), [(1, (5,)), (2, (3, 4)), (3, (2, 5)), (4, (3,)), (4, (8, 4))])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_collectives(n, shape, dtype):
    rng = np.random.default_rng(n)
    xs = rng.integers(-50, 50, (n, *shape)).astype(dtype)  # whole numbers: sums are exact in any order
    found = parallel.run_ranks(all_three, n, xs)
    pieces = np.array_split(xs.sum(0).ravel(), n)
    for rank, (whole, most, piece, again, sent) in enumerate(found):
        assert whole.dtype == dtype and whole.shape == shape
        np.testing.assert_array_equal(whole, xs.sum(0))
        np.testing.assert_array_equal(most, xs.max(0))
        np.testing.assert_array_equal(piece, pieces[rank])
        np.testing.assert_array_equal(again, xs.sum(0))
        sizes = [part.nbytes for part in pieces]
        total = sum(sizes)  # every piece but its own, then every piece but the next rank's
        assert sent == (2 * total - sizes[rank] - sizes[(rank + 1) % n] if n > 1 else 0)


def of_random(ring, xs):
    return parallel.all_reduce(ring, xs[ring.rank])


def test_all_ranks_get_the_same_bits():
    xs = np.random.default_rng(0).normal(size=(4, 101)) * 10.0 ** np.arange(-50, 51)
    first, *others = parallel.run_ranks(of_random, 4, xs)
    for other in others:
        np.testing.assert_array_equal(first, other)
    np.testing.assert_allclose(first, xs.sum(0), rtol=1e-12)


# ------------------------------------------------------------------------------------------------- the tower


def test_the_towers_gradient():
    rng = np.random.default_rng(0)
    params = parallel.init_tower(rng, C=3, F=4, V=5, n_blocks=2)
    x, targets = rng.normal(size=(6, 3)), rng.integers(0, 5, 6)
    _, grads = parallel.tower_loss(params, x, targets)
    for name in ("head", "blocks.0.w1", "blocks.0.b1", "blocks.1.b2"):
        w = flatten(params)[name]
        for at in [(0,) * w.ndim, tuple(n - 1 for n in w.shape)]:
            kept, losses = w[at], []
            for step in (1e-6, -1e-6):
                w[at] = kept + step
                losses.append(parallel.tower_loss(params, x, targets)[0])
            w[at] = kept
            assert flatten(grads)[name][at] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-7)


SCHEMES = {
    "data parallel": (parallel.data_parallel, {}),
    "ZeRO 1": (parallel.zero, {"stage": 1}),
    "ZeRO 2": (parallel.zero, {"stage": 2}),
    "ZeRO 3": (parallel.zero, {"stage": 3}),
    "tensor parallel": (parallel.tensor_parallel, {}),
    "GPipe": (parallel.pipeline, {"micro": 8, "kind": "gpipe"}),
    "1F1B": (parallel.pipeline, {"micro": 8}),
}


def formula(name, params, x, n, rank):
    P, (B, C), L = count(params), x.shape, len(params["blocks"])
    if name == "ZeRO 3":
        return scaling.zero3_bytes(P, params["head"].size, n)
    if name == "tensor parallel":
        return scaling.tensor_parallel_bytes(B, C, L, n)
    if name in ("GPipe", "1F1B"):
        return scaling.pipeline_bytes(B, C, n, rank)
    return scaling.data_parallel_bytes(P, n)


@pytest.fixture(scope="module")
def alone():
    params, x, targets = scale.tower()
    return params, x, targets, parallel.train_alone(params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("name", SCHEMES)
def test_the_bytes_are_right_and_the_weights_those_of_one_process(name, n, alone):
    params, x, targets, wanted = alone
    before = {key: w.copy() for key, w in flatten(params).items()}
    scheme, settings = SCHEMES[name]
    found = parallel.run_ranks(scheme, n, params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR, **settings)
    for rank, done in enumerate(found):
        assert done["sent"] == scale.TOWER_STEPS * formula(name, params, x, n, rank)
        np.testing.assert_allclose(done["losses"], wanted["losses"], rtol=0, atol=1e-12)
        assert flatten(done["params"]).keys() == flatten(wanted["params"]).keys()
        for key, w in flatten(done["params"]).items():
            assert np.abs(w - flatten(wanted["params"])[key]).max() < 1e-14, key
    for key, w in flatten(params).items():
        np.testing.assert_array_equal(w, before[key])


@pytest.mark.parametrize(("stage", "cut"), [(1, ("state",)), (2, ("state", "gradients")), (3, None)])
def test_zero_holds_what_it_promises(stage, cut, alone):
    params, x, targets, wanted = alone
    done = parallel.run_ranks(parallel.zero, 4, params, x, targets, 1, 1e-3, stage=stage)
    cut = cut or ("state", "gradients", "weights")
    for one in done:
        for name, size in wanted["held"].items():
            assert one["held"][name] == (size // 4 if name in cut else size), name


def test_uneven_pieces_and_rows():
    """Nothing divides by three: the weights still agree."""
    rng = np.random.default_rng(3)
    params = parallel.init_tower(rng, C=5, F=7, V=4, n_blocks=4)
    x, targets = rng.normal(size=(10, 5)), rng.integers(0, 4, 10)
    wanted = flatten(parallel.train_alone(params, x, targets, 3, 1e-3)["params"])
    for scheme, settings in (*SCHEMES.values(),):
        settings = settings | ({"micro": 5} if "micro" in settings else {})
        for done in parallel.run_ranks(scheme, 3, params, x, targets, 3, 1e-3, **settings):
            for key, w in flatten(done["params"]).items():
                np.testing.assert_allclose(w, wanted[key], rtol=0, atol=1e-13)


def test_what_cannot_be_shared_is_refused():
    rng = np.random.default_rng(0)
    params = parallel.init_tower(rng, C=4, F=8, V=3, n_blocks=2)
    x, targets = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    for scheme, n, settings, message in (
        (parallel.data_parallel, 8, {}, "a row for each of 8 ranks"),
        (parallel.tensor_parallel, 4, {}, "a column for each of 4 ranks"),
        (parallel.pipeline, 3, {"micro": 2}, "a block for each of 3 ranks"),
        (parallel.pipeline, 2, {"micro": 4}, "a divisor of 6 rows"),
        (parallel.zero, 2, {"stage": 4}, "1, 2 or 3"),
    ):
        with pytest.raises(RuntimeError, match=message):
            parallel.run_ranks(scheme, n, params, x, targets, 1, 1e-3, **settings)


def cut_loss(ring, logits, targets):
    columns = np.array_split(np.arange(logits.shape[1]), ring.size)[ring.rank]
    return parallel.vocabulary_parallel_loss(ring, logits[:, columns], targets, int(columns[0]))


@pytest.mark.parametrize("spread", [1.0, 500.0])
def test_the_loss_of_a_cut_vocabulary(spread):
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, spread, (9, 11)), rng.integers(0, 11, 9)
    wanted, cache = cross_entropy(logits, targets)
    found = parallel.run_ranks(cut_loss, 3, logits, targets)
    for loss, _ in found:
        np.testing.assert_allclose(loss, wanted, rtol=1e-13)
    grads = np.concatenate([grad for _, grad in found], axis=1)
    np.testing.assert_allclose(grads, cross_entropy_backward(1.0, cache), atol=1e-15)


# ----------------------------------------------------------------------------------------------- the pipeline


@pytest.mark.parametrize("stages", [1, 2, 3, 6])
@pytest.mark.parametrize("micro", [1, 2, 5, 12])
def test_schedules_have_the_bubble_of_the_formula(stages, micro):
    for kind in ("gpipe", "1f1b"):
        schedule = parallel.pipeline_schedule(stages, micro, kind)
        for stage, row in enumerate(schedule):
            assert sorted(row) == sorted((what, i) for what in "FB" for i in range(micro))
            begun = ended = most = 0
            for what, _ in row:
                begun, ended = begun + (what == "F"), ended + (what == "B")
                assert ended <= begun
                most = max(most, begun - ended)
            assert most == (micro if kind == "gpipe" else min(stages - stage, micro))
        times = parallel.pipeline_times(schedule)
        assert parallel.bubble(times) == pytest.approx((stages - 1) / (micro + stages - 1))


def test_nothing_begins_before_what_it_needs():
    times = parallel.pipeline_times(parallel.pipeline_schedule(4, 7), forward=1.5, backward=2.5)
    ends = {(what, i, s): end for s, row in enumerate(times) for what, i, _, end in row}
    for s, row in enumerate(times):
        for (_, _, _, end), (_, _, begin, _) in zip(row, row[1:], strict=False):
            assert begin >= end
        for what, i, begin, _ in row:
            needs = ("F", i, s - 1) if what == "F" else ("B", i, s + 1) if s < 3 else ("F", i, s)
            assert begin >= ends.get(needs, 0.0)


def test_a_schedule_that_cannot_be_kept_is_refused():
    with pytest.raises(ValueError, match="stages that wait for each other"):
        parallel.pipeline_times([[("B", 0), ("F", 0)], [("F", 0), ("B", 0)]])
    with pytest.raises(ValueError, match='kind: expected "gpipe" or "1f1b"'):
        parallel.pipeline_schedule(2, 2, "zigzag")


# ------------------------------------------------------------------------------------------- less room, bits


def test_accumulated_is_one_batch():
    rng = np.random.default_rng(0)
    params = parallel.init_tower(rng, C=3, F=4, V=5, n_blocks=1)
    x, targets = rng.normal(size=(10, 3)), rng.integers(0, 5, 10)
    parts = [(*parallel.tower_loss(params, x[rows], targets[rows]), len(x[rows]))
             for rows in (slice(0, 1), slice(1, 8), slice(8, 10))]  # fmt: skip
    loss, grads = parallel.accumulate([*parts, (np.nan, parts[0][1], 0)])
    wanted, wanted_grads = parallel.tower_loss(params, x, targets)
    assert loss == pytest.approx(wanted)
    for name, g in flatten(grads).items():
        np.testing.assert_allclose(g, flatten(wanted_grads)[name], atol=1e-15)
    with pytest.raises(ValueError, match="a token at least"):
        parallel.accumulate([(1.0, {}, 0)])


@pytest.mark.parametrize("every", [1, 2, 3, 5, 7, 9])
def test_checkpoints_give_the_same_bits_with_less(every):
    rng = np.random.default_rng(0)
    params = parallel.init_tower(rng, C=4, F=16, V=3, n_blocks=7)
    x, targets, seeds = rng.normal(size=(8, 4)), rng.integers(0, 3, 8), list(range(7))
    loss, grads, kept = parallel.checkpointed_loss(params, x, targets, seeds, 0.5)
    again, few, less = parallel.checkpointed_loss(params, x, targets, seeds, 0.5, every)
    assert loss == again and (less < kept if every < 7 else less == kept)
    for name, g in flatten(few).items():
        np.testing.assert_array_equal(g, flatten(grads)[name])
    _, other, _ = parallel.checkpointed_loss(params, x, targets, [9, *seeds[1:]], 0.5)
    assert not np.array_equal(other["head"], grads["head"])


def test_without_dropout_it_is_the_towers_loss():
    rng = np.random.default_rng(0)
    params = parallel.init_tower(rng, C=4, F=8, V=3, n_blocks=3)
    x, targets = rng.normal(size=(8, 4)), rng.integers(0, 3, 8)
    loss, grads, _ = parallel.checkpointed_loss(params, x, targets, range(3), 0.0, every=2)
    wanted, wanted_grads = parallel.tower_loss(params, x, targets)
    assert loss == pytest.approx(wanted)
    for name, g in flatten(grads).items():
        np.testing.assert_allclose(g, flatten(wanted_grads)[name], atol=1e-14)


def test_an_array_counts_once():
    x = np.ones((4, 5))
    assert parallel.activation_bytes((x, x[1:], x.T, {"a": [np.ones(3)]})) == 160 + 24
    assert parallel.activation_bytes((x, np.ones(2)), {"w": x}) == 16


def test_float16_loses_small_and_large():
    g = {"w": np.array([1e-9, 1e-3, -2.0], np.float32)}
    assert parallel.through_float16(g)["w"].tolist()[0] == 0.0
    kept = parallel.through_float16(g, 2.0**14)["w"]
    np.testing.assert_allclose(kept, g["w"], rtol=0.01)
    assert kept.dtype == np.float32
    assert parallel.through_float16(g, 2.0**16) is None
    assert parallel.through_float16({"w": np.array([np.nan], np.float32)}) is None


def test_the_scale_finds_itself():
    scale_, good, steps = 2.0**20, 0, []
    for _ in range(40):  # whatever is above 2**10 overflows
        finite = scale_ <= 2.0**10
        scale_, good = parallel.next_scale(scale_, good, finite, patience=5)
        steps.append(scale_)
    assert steps[9] == 2.0**10 and set(steps[9:]) == {2.0**10, 2.0**11}

"""Training on several processes (chapter 15): who holds what, who sends what, and every byte of it counted.

The processes stand in a ring; each has a pipe to its right neighbour and one to its left. All that they share
goes through these pipes. The model is a `tower`: a stack of chapter 04's feed-forward parts, each added to
its input, and a linear layer to the classes. That is a transformer without attention: the same matrices, cut
in the same ways. Each scheme trains it, and ends with the weights of one process alone, up to rounding.

B rows, C width, F hidden width, V classes, L blocks, n processes; "rank" is the number of a process.
"""

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats, integers
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, generator, number, whole
from fmkit.layers import dropout, dropout_backward, linear, linear_backward, mlp, mlp_backward
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import adam, apply
from fmkit.params import flatten, tree_map, unflatten

# --------------------------------------------------------------------------------------------------- the ring


@dataclass
class Ring:
    """The place of one process in the ring: its neighbours' pipes, and what it has sent so far.

    Examples
    --------
    >>> ends = multiprocessing.Pipe()  # a ring of one: its right neighbour is itself
    >>> ring = Ring(0, 1, *ends)
    >>> ring.post(np.array([1.0, 2.0]))
    >>> print(ring.receive(float), ring.sent, ring.messages)
    [1. 2.] 16 1
    """

    rank: int
    size: int
    left: Connection
    right: Connection
    sent: int = 0  # bytes
    messages: int = 0
    _posts: dict = field(default_factory=dict, repr=False)

    def post(self, x: Array, to: str = "right") -> None:
        """Send an array to a neighbour, and go on: a thread waits until it is taken."""
        self.sent += x.nbytes
        self.messages += 1
        if to not in self._posts:  # one thread for each side: what is posted first arrives first
            self._posts[to] = ThreadPoolExecutor(1)
        pipe = self.right if to == "right" else self.left
        self._posts[to].submit(pipe.send_bytes, x.tobytes())

    def receive(self, dtype: Any, source: str = "left") -> Array:
        """The next array that a neighbour has sent, flat; wait for it."""
        pipe = self.left if source == "left" else self.right
        return np.frombuffer(pipe.recv_bytes(), dtype)

    def close(self) -> None:
        """Wait until all that was posted is taken."""
        for thread in self._posts.values():
            thread.shutdown(wait=True)


def run_ranks(task: Callable, size: int, *args: Any, seconds: float = 60.0, **settings: Any) -> list:
    """Start ``size`` processes, each of which calls ``task(ring, *args, **settings)``; what they return.

    A process that dies takes the others with it: it is an error here, with its message. The processes are
    forks of this one where the system can do that; else they start anew and must be able to import ``task``.

    Parameters
    ----------
    task : callable
        Its first argument is the process's own `Ring`.
    size : int
    seconds : float
        After so long without the last answer, all are ended.

    Returns
    -------
    values : list
        By rank.

    Raises
    ------
    RuntimeError
        When a process raises, is ended from outside, or the time is over.

    Examples
    --------
    >>> for rank, total in enumerate(run_ranks(all_reduce, 2, np.array([1.0, 10.0]))):
    ...     print(rank, total)
    0 [ 2. 20.]
    1 [ 2. 20.]
    """
    size, seconds = whole("size", size, 1), number("seconds", seconds, above=0)
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in ways else "spawn")
    pipes = [context.Pipe() for _ in range(size)]  # pipe r: from rank r to the one on its right
    processes, answers = [], {}
    try:
        for rank in range(size):
            answer, reply = context.Pipe(duplex=False)
            ring = Ring(rank, size, pipes[rank - 1][1], pipes[rank][0])
            process = context.Process(target=_child, args=(task, ring, reply, args, settings), daemon=True)
            with warnings.catch_warnings():  # a fork beside threads; the child uses none of theirs
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            reply.close()  # the child's copy is the only one: when the child ends, the pipe ends
            processes.append(process)
            answers[answer] = rank
        return _collect(processes, answers, time.monotonic() + seconds, seconds)
    finally:
        for process in processes:
            process.kill()
            process.join()
        for end in (*answers, *(end for pipe in pipes for end in pipe)):
            end.close()


def _child(task: Callable, ring: Ring, reply: Connection, args: tuple, settings: dict) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops the parent stops all
    try:
        value = task(ring, *args, **settings)
        ring.close()
        reply.send((True, value))
    except Exception as error:
        reply.send((False, f"{type(error).__name__}: {error}"))


def _collect(processes: list, answers: dict, deadline: float, seconds: float) -> list:
    values, waiting = [None] * len(processes), dict(answers)
    while waiting:
        ready = wait([*waiting], timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            late = ", ".join(str(rank) for rank in sorted(waiting.values()))
            raise RuntimeError(f"no answer of rank {late} after {seconds:g} s: do all wait for a message?")
        for answer in ready:
            rank = waiting.pop(answer)
            try:
                fine, value = answer.recv()
            except EOFError:
                processes[rank].join()
                code = processes[rank].exitcode
                raise RuntimeError(f"rank {rank} ended without an answer, exit code {code}") from None
            if not fine:
                raise RuntimeError(f"rank {rank}: {value}")
            values[rank] = value
    return values


# ------------------------------------------------------------------------------------------------ collectives


def reduce_scatter(ring: Ring, x: Float[Array, "..."], combine: Callable = np.add) -> Float[Array, "piece"]:
    """Sum an array over all ranks, and leave each rank one piece of the sum: rank r the r-th of n.

    In n - 1 steps every rank hands a piece to the right and adds its own part to the one from the left.

    Parameters
    ----------
    x : array of the same shape on every rank
    combine : callable
        What is done with two pieces: `np.add`, or `np.maximum`.

    Examples
    --------
    >>> for rank, piece in enumerate(run_ranks(reduce_scatter, 2, np.array([1.0, 10.0, 100.0]))):
    ...     print(rank, piece)
    0 [ 2. 20.]
    1 [200.]
    """
    n, r = ring.size, ring.rank
    pieces = np.array_split(floats("x", x).ravel(), n)
    done = pieces[(r - 1) % n]  # the piece that this rank is the first to hand on
    for step in range(n - 1):
        ring.post(done)
        done = combine(ring.receive(x.dtype), pieces[(r - step - 2) % n])
    return done.copy()


def all_gather(ring: Ring, piece: Float[Array, "piece"]) -> Float[Array, "whole"]:
    """Every rank's piece, in the order of the ranks, on every rank: n - 1 times round the ring.

    Examples
    --------
    >>> run_ranks(all_gather, 3, np.array([7.0]))[0]
    array([7., 7., 7.])
    """
    n, r = ring.size, ring.rank
    pieces = {r: floats("piece", piece, 1, "(piece,)")}
    for step in range(n - 1):
        ring.post(pieces[(r - step) % n])
        pieces[(r - step - 1) % n] = ring.receive(piece.dtype)
    return np.concatenate([pieces[rank] for rank in range(n)])


def all_reduce(ring: Ring, x: Float[Array, "*shape"], combine: Callable = np.add) -> Float[Array, "*shape"]:
    """The sum over all ranks, on all ranks: `reduce_scatter`, then `all_gather`. All get the same bits.

    Each rank sends ``2 (n - 1) / n`` times the array, however many ranks there are: less than twice.

    References
    ----------
    Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations" (2009).

    Examples
    --------
    >>> run_ranks(all_reduce, 2, np.array([[1.0, 2.0]]), combine=np.maximum)[1]
    array([[1., 2.]])
    """
    return all_gather(ring, reduce_scatter(ring, x, combine)).reshape(x.shape)


# -------------------------------------------------------------------------------------------------- the tower


def init_tower(rng: np.random.Generator, C: int, F: int, V: int, n_blocks: int) -> dict:
    """Parameters of a tower: ``blocks``, each with ``w1, b1, w2, b2`` of an `fmkit.layers.mlp`, and ``head``.

    Examples
    --------
    >>> params = init_tower(np.random.default_rng(0), C=4, F=8, V=3, n_blocks=2)
    >>> list(params["blocks"][0]), params["head"].shape
    (['w1', 'b1', 'w2', 'b2'], (4, 3))
    """
    generator(rng)
    shapes = {"w1": (C, F), "b1": (F,), "w2": (F, C), "b2": (C,)}
    blocks = [
        {name: rng.normal(0, shape[0] ** -0.5, shape) for name, shape in shapes.items()}
        for _ in range(whole("n_blocks", n_blocks, 1))
    ]
    return {"blocks": blocks, "head": rng.normal(0, C**-0.5, (C, V))}


def tower_loss(
    params: dict, x: Float[Array, "B C"], targets: Integer[Array, "B"], share: float = 1.0
) -> tuple[Scalar, dict]:
    """Mean cross-entropy of a tower on some rows, and its gradient in all parameters.

    Parameters
    ----------
    share : float
        Both are multiplied by it: the part of the batch that these rows are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> params = init_tower(rng, C=4, F=8, V=3, n_blocks=2)
    >>> loss, grads = tower_loss(params, rng.normal(size=(5, 4)), np.array([0, 1, 2, 1, 0]))
    >>> loss > 0, list(grads)
    (True, ['blocks', 'head'])
    """
    h, caches = _up(params["blocks"], x)
    loss, dh, dhead = _top(params["head"], h, targets, share)
    _, blocks = _down(dh, caches)
    return loss, {"blocks": blocks, "head": dhead}


def _up(blocks: Sequence[dict], x: Array) -> tuple[Array, list[Cache]]:
    """Through some blocks: x + mlp(x), each time."""
    caches = []
    for p in blocks:
        update, cache = mlp(x, **p)
        x = x + update
        caches.append(cache)
    return x, caches


def _down(dx: Array, caches: list[Cache]) -> tuple[Array, list[dict]]:
    """Back through them: the gradient goes down both branches."""
    grads = []
    for cache in reversed(caches):
        dbelow, *parts = mlp_backward(dx, cache)
        dx = dx + dbelow
        grads.insert(0, dict(zip(("w1", "b1", "w2", "b2"), parts, strict=True)))
    return dx, grads


def _top(head: Array, h: Array, targets: Array, share: float) -> tuple[float, Array, Array]:
    """The loss, and the gradients of what came up and of the head."""
    logits, cache = linear(h, head)
    loss, loss_cache = cross_entropy(logits, targets)
    dh, dhead, _ = linear_backward(cross_entropy_backward(share, loss_cache), cache)
    return float(share * loss), dh, dhead


# ------------------------------------------------------------------------------------------ ways of training
# Each takes (ring, params, x, targets, steps, lr): the same on every rank. Each returns a dict: ``params``,
# in the end put together again; ``losses``, one a step; ``sent``, the bytes before that; ``held``, bytes.


def train_alone(
    params: dict, x: Float[Array, "B C"], targets: Integer[Array, "B"], steps: int, lr: float
) -> dict:
    """Train a tower with Adam on one process: what all the other ways have to equal.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> params, x = init_tower(rng, C=4, F=8, V=3, n_blocks=2), rng.normal(size=(6, 4))
    >>> done = train_alone(params, x, np.array([0, 1, 2, 0, 1, 2]), steps=20, lr=0.01)
    >>> done["losses"][-1] < done["losses"][0]
    True
    """
    state, losses = None, []
    for _ in range(steps):
        loss, grads = tower_loss(params, x, targets)
        params, state = apply(adam, params, grads, state, lr=lr)
        losses.append(float(loss))
    return {"params": params, "losses": losses, "sent": 0, "held": _held(params, grads, state)}


def data_parallel(
    ring: Ring, params: dict, x: Float[Array, "B C"], targets: Integer[Array, "B"], steps: int, lr: float
) -> dict:
    """Every rank has the whole model and a slice of the rows; the gradients are summed by one `all_reduce`.

    Sent a step: ``2 (n - 1) / n`` times the gradient.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> params = init_tower(rng, C=4, F=8, V=4, n_blocks=2)
    >>> alone = train_alone(params, *data, steps=3, lr=0.01)
    >>> both = run_ranks(data_parallel, 2, params, *data, steps=3, lr=0.01)
    >>> print(np.allclose(both[0]["losses"], alone["losses"]), both[0]["sent"])
    True 4032
    """
    rows, share = _slice(ring, len(x))
    state, losses = None, []
    for _ in range(steps):
        loss, grads = tower_loss(params, x[rows], targets[rows], share)
        grads = _unpacked(all_reduce(ring, _packed(grads)), params)
        params, state = apply(adam, params, grads, state, lr=lr)
        losses.append(loss)
    return _finish(ring, params, partial(_sum_losses, losses), _held(params, grads, state))


def zero(
    ring: Ring,
    params: dict,
    x: Float[Array, "B C"],
    targets: Integer[Array, "B"],
    steps: int,
    lr: float,
    stage: int = 1,
) -> dict:
    """`data_parallel` without n copies of the same: each rank keeps a piece, and updates that only.

    Stage 1 cuts Adam's averages, stage 2 the gradients, too (a layer's are given away as soon as they are
    there), stage 3 the weights, too: a layer is put together when it is used, forward and again backward.
    Sent a step: as `data_parallel` (``2 (n - 1) / n`` times the model), in stage 3 half as much again (of the
    last layer no more: it is still there when the backward pass begins).

    References
    ----------
    Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter models" (2020),
    sections 5 and 7.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> params = init_tower(rng, C=4, F=8, V=4, n_blocks=2)
    >>> for stage in (1, 3):
    ...     both = run_ranks(zero, 2, params, *data, steps=3, lr=0.01, stage=stage)
    ...     print(stage, both[0]["sent"], both[0]["held"])
    1 4032 {'weights': 1344, 'gradients': 1344, 'state': 1344}
    3 5856 {'weights': 672, 'gradients': 672, 'state': 1344}
    """
    demand(stage in (1, 2, 3), "stage", "1, 2 or 3", stage)
    rows, share = _slice(ring, len(x))
    layers = [*params["blocks"], {"head": params["head"]}]
    wholes = [_packed(layer) for layer in layers]
    mine = [_piece(ring, whole) for whole in wholes]
    states, losses = [None] * len(layers), []
    if stage == 3:
        wholes = [None] * len(layers)

    def fetch(i: int) -> dict:
        whole = all_gather(ring, mine[i]) if stage == 3 else wholes[i]
        return _unpacked(whole, layers[i])

    def give(grads: dict) -> Array:
        return reduce_scatter(ring, _packed(grads)) if stage > 1 else _packed(grads)

    for _ in range(steps):
        inputs = [x[rows]]  # all that the forward pass keeps: its caches would hold whole layers
        for i in range(len(layers) - 1):
            inputs.append(_up([fetch(i)], inputs[-1])[0])
        loss, dh, dhead = _top(fetch(len(layers) - 1)["head"], inputs[-1], targets[rows], share)
        grads = [give({"head": dhead})]
        for i in reversed(range(len(layers) - 1)):
            dh, (dblock,) = _down(dh, _up([fetch(i)], inputs[i])[1])
            grads.insert(0, give(dblock))
        held = [wholes if stage < 3 else mine, list(grads)]
        if stage == 1:
            grads = [reduce_scatter(ring, grad) for grad in grads]
        mine, states = _update(mine, grads, states, lr)
        if stage < 3:
            wholes = [all_gather(ring, piece) for piece in mine]
        losses.append(loss)
    return _finish(
        ring, partial(_from_pieces, mine, layers), partial(_sum_losses, losses), _held(*held, states)
    )


def _update(pieces: list, grads: list, states: list, lr: float) -> tuple[list, list]:
    """Adam on this rank's pieces."""
    pairs = [adam(*three, lr=lr) for three in zip(pieces, grads, states, strict=True)]
    return [piece for piece, _ in pairs], [state for _, state in pairs]


def _from_pieces(pieces: list, layers: list, ring: Ring) -> dict:
    *blocks, head = (_unpacked(all_gather(ring, p), like) for p, like in zip(pieces, layers, strict=True))
    return {"blocks": blocks, "head": head["head"]}


def tensor_parallel(
    ring: Ring, params: dict, x: Float[Array, "B C"], targets: Integer[Array, "B"], steps: int, lr: float
) -> dict:
    """Every rank has all rows and a part of every matrix: w1 cut in columns, w2 in rows, the head in columns.

    Between w1 and w2 nothing is sent: each rank works out its own hidden units to the end. One `all_reduce`
    of (B, C) for each block forward, one backward (not below the first), and three of (B,) for the loss.

    References
    ----------
    Shoeybi et al., "Megatron-LM: training multi-billion parameter language models using model parallelism"
    (2019), section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> params = init_tower(rng, C=4, F=8, V=4, n_blocks=2)
    >>> both = run_ranks(tensor_parallel, 2, params, *data, steps=1, lr=0.01)
    >>> print(both[0]["sent"], 2 * (2 - 1) / 2 * (2 * 2 * 6 * 4 + 3 * 6) * 8)
    912 912.0
    """
    F, V = params["blocks"][0]["w1"].shape[1], params["head"].shape[1]
    demand(min(F, V) >= ring.size, "params", f"a column for each of {ring.size} ranks", f"F {F}, V {V}")
    units, classes = (np.array_split(np.arange(N), ring.size)[ring.rank] for N in (F, V))
    cut = {
        "blocks": [
            {"w1": p["w1"][:, units], "b1": p["b1"][units], "w2": p["w2"][units], "b2": p["b2"]}
            for p in params["blocks"]
        ],
        "head": params["head"][:, classes],
    }
    state, losses = None, []
    for _ in range(steps):
        loss, grads = _cut_loss(ring, cut, x, targets, int(classes[0]))
        cut, state = apply(adam, cut, grads, state, lr=lr)
        losses.append(loss)
    whole = partial(_from_cut, cut)
    return _finish(ring, whole, lambda ring: losses, _held(cut, grads, state))


def _cut_loss(ring: Ring, cut: dict, x: Array, targets: Array, first: int) -> tuple[float, dict]:
    """`tower_loss` of matrices of which each rank has its part."""
    caches = []
    for p in cut["blocks"]:
        part, cache = mlp(x, p["w1"], p["b1"], p["w2"], np.zeros_like(p["b2"]))
        x = x + all_reduce(ring, part) + p["b2"]  # the bias once, not once a rank
        caches.append(cache)
    logits, head_cache = linear(x, cut["head"])  # (B, V/n)
    loss, dlogits = vocabulary_parallel_loss(ring, logits, targets, first)
    part, dhead, _ = linear_backward(dlogits, head_cache)
    dx, blocks = all_reduce(ring, part), []
    for i in reversed(range(len(caches))):
        part, *grads = mlp_backward(dx, caches[i])
        blocks.insert(0, dict(zip(("w1", "b1", "w2", "b2"), grads, strict=True)))
        if i:  # below the first block nobody asks
            dx = dx + all_reduce(ring, part)
    return loss, {"blocks": blocks, "head": dhead}


def _from_cut(cut: dict, ring: Ring) -> dict:
    def whole(w: Array, axis: int) -> Array:
        w = np.moveaxis(w, axis, 0)
        return np.moveaxis(all_gather(ring, w.ravel()).reshape(-1, *w.shape[1:]), 0, axis)

    blocks = [
        {"w1": whole(p["w1"], 1), "b1": whole(p["b1"], 0), "w2": whole(p["w2"], 0), "b2": p["b2"]}
        for p in cut["blocks"]
    ]
    return {"blocks": blocks, "head": whole(cut["head"], 1)}


def vocabulary_parallel_loss(
    ring: Ring, logits: Float[Array, "B V_n"], targets: Integer[Array, "B"], first: int
) -> tuple[float, Float[Array, "B V_n"]]:
    """Mean cross-entropy of logits of which each rank has some columns, and its gradient in those.

    Only three numbers a row are sent: the largest logit, the sum of the exponentials, the target's logit.

    Parameters
    ----------
    logits : (B, V/n)
    targets : (B,)
        Among all V classes.
    first : int
        The class of this rank's first column.

    Examples
    --------
    >>> def two_columns(ring):
    ...     logits = np.array([[0.0, 1.0, 2.0, 3.0]])[:, 2 * ring.rank :][:, :2]
    ...     return vocabulary_parallel_loss(ring, logits, np.array([3]), first=2 * ring.rank)
    >>> print(*(round(loss, 4) for loss, _ in run_ranks(two_columns, 2)))
    0.4402 0.4402
    """
    B, width = logits.shape
    expect("targets", targets, (B,), "(B,)")
    integers("targets", targets)
    largest = all_reduce(ring, logits.max(1), np.maximum)  # (B,)
    shifted = logits - largest[:, None]
    exps = np.exp(shifted)  # (B, V/n)
    column = targets - first
    here = (column >= 0) & (column < width)  # the rows whose target is one of this rank's columns
    rows, columns = np.flatnonzero(here), column[here]
    own = np.zeros(B, logits.dtype)
    own[rows] = shifted[rows, columns]
    total, target = all_reduce(ring, np.stack([exps.sum(1), own]))  # (B,) each
    dlogits = exps / total[:, None]
    dlogits[rows, columns] -= 1.0
    return float((np.log(total) - target).mean()), dlogits / B


def pipeline(
    ring: Ring,
    params: dict,
    x: Float[Array, "B C"],
    targets: Integer[Array, "B"],
    steps: int,
    lr: float,
    micro: int = 4,
    kind: str = "1f1b",
) -> dict:
    """Every rank has some of the blocks; micro-batches go up through the ranks, their gradients down.

    Sent a step, over each border: (B, C) up and (B, C) down, into however many micro-batches it is cut.
    ``held`` also says how many micro-batches a rank had begun and not ended at the most.

    Parameters
    ----------
    micro : int
        How many micro-batches; it must divide the rows.
    kind : "gpipe" or "1f1b"
        As for `pipeline_schedule`.

    References
    ----------
    Huang et al., "GPipe" (2019); Narayanan et al., "PipeDream" (2019), for one forward, one backward.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> params = init_tower(rng, C=4, F=8, V=4, n_blocks=2)
    >>> both = run_ranks(pipeline, 2, params, *data, steps=1, lr=0.01, micro=3)
    >>> print([one["sent"] for one in both], 6 * 4 * 8)
    [192, 192] 192
    """
    micro, n = whole("micro", micro, 1), ring.size
    demand(len(x) % micro == 0, "micro", f"a divisor of {len(x)} rows", micro)
    demand(len(params["blocks"]) >= n, "params", f"a block for each of {n} ranks", len(params["blocks"]))
    actions = pipeline_schedule(n, micro, kind)[ring.rank]
    own = {"blocks": [params["blocks"][i] for i in _stage(len(params["blocks"]), ring)]}
    if ring.rank == n - 1:
        own["head"] = params["head"]
    state, losses = None, []
    for _ in range(steps):
        loss, grads, most = _pipe_step(ring, own, np.split(x, micro), np.split(targets, micro), actions)
        own, state = apply(adam, own, grads, state, lr=lr)
        losses.append(loss)
    held = _held(own, grads, state) | {"micro-batches": most}
    return _finish(ring, partial(_from_stages, own, params), partial(_sum_losses, losses), held)


def _pipe_step(ring: Ring, own: dict, xs: list, targets: list, actions: list) -> tuple[float, dict, int]:
    """This rank's part of one batch: its loss (0 but on the last rank), gradients, most kept at once."""
    first, last = ring.rank == 0, ring.rank == ring.size - 1
    kept, loss, most = {}, 0.0, 0
    grads = tree_map(np.zeros_like, own)
    for action, i in actions:
        if action == "F":
            h = xs[i] if first else ring.receive(xs[i].dtype).reshape(xs[i].shape)
            h, caches = _up(own["blocks"], h)
            kept[i] = h if last else None, caches
            most = max(most, len(kept))
            if not last:
                ring.post(h)
            continue
        h, caches = kept.pop(i)
        found = {}
        if last:
            part, dh, found["head"] = _top(own["head"], h, targets[i], 1 / len(xs))
            loss += part
        else:
            dh = ring.receive(xs[i].dtype, "right").reshape(xs[i].shape)
        dh, found["blocks"] = _down(dh, caches)
        grads = tree_map(np.add, grads, {name: found[name] for name in grads})
        if not first:
            ring.post(dh, "left")
    return loss, grads, most


def _stage(n_blocks: int, ring: Ring) -> list[int]:
    return np.array_split(np.arange(n_blocks), ring.size)[ring.rank].tolist()


def _from_stages(own: dict, like: dict, ring: Ring) -> dict:
    return _unpacked(all_gather(ring, _packed(own)), like)


# ------------------------------------------------------------------------------------------ what they share


def _slice(ring: Ring, B: int) -> tuple[slice, float]:
    """This rank's rows, and which part of the batch they are."""
    ends = [B * r // ring.size for r in (ring.rank, ring.rank + 1)]
    demand(ends[1] > ends[0], "x", f"a row for each of {ring.size} ranks", f"{B} rows")
    return slice(*ends), (ends[1] - ends[0]) / B


def _piece(ring: Ring, whole: Array) -> Array:
    return np.array_split(whole, ring.size)[ring.rank].copy()


def _packed(tree: Any) -> Array:
    """All arrays of a tree in one vector: one long message is cheaper than many short ones."""
    return np.concatenate([w.ravel() for w in flatten(tree).values()])


def _unpacked(vector: Array, like: Any) -> Any:
    """A vector back into arrays, nested as ``like``."""
    flat, at = {}, 0
    for name, w in flatten(like).items():
        flat[name] = vector[at : at + w.size].reshape(w.shape)
        at += w.size
    return unflatten(flat)


def _held(weights: Any, grads: Any, state: Any) -> dict[str, int]:
    """Bytes of what a rank keeps from step to step."""
    return {"weights": _bytes(weights), "gradients": _bytes(grads), "state": _bytes(state)}


def _bytes(tree: Any) -> int:
    if isinstance(tree, np.ndarray):
        return tree.nbytes
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return sum(_bytes(part) for part in parts)


def _sum_losses(losses: list[float], ring: Ring) -> list[float]:
    """What every rank lost on its own rows becomes the loss of the batch, once training is over."""
    return all_reduce(ring, np.array(losses)).tolist()


def _finish(ring: Ring, params: Any, losses: Callable, held: dict) -> dict:
    """The bytes so far; only then whatever it takes to put model and losses together."""
    sent = ring.sent
    return {
        "params": params(ring) if callable(params) else params,
        "losses": losses(ring),
        "sent": sent,
        "held": held,
    }


# ------------------------------------------------------------------------------------------ who works when


def pipeline_schedule(stages: int, micro: int, kind: str = "1f1b") -> list[list[tuple[str, int]]]:
    """What each stage does, in which order: ("F", i) forward of micro-batch i, ("B", i) its backward.

    Parameters
    ----------
    kind : "gpipe" or "1f1b"
        All forward, then all backward from the last; or, after a few forwards, one forward and one backward
        by turns. Both wait equally long; the second keeps at most ``stages`` micro-batches, not ``micro``.

    Examples
    --------
    >>> for row in pipeline_schedule(2, 3):
    ...     print(" ".join(f"{what}{i}" for what, i in row))
    F0 F1 B0 F2 B1 B2
    F0 B0 F1 B1 F2 B2
    """
    stages, micro = whole("stages", stages, 1), whole("micro", micro, 1)
    demand(kind in ("gpipe", "1f1b"), "kind", '"gpipe" or "1f1b"', repr(kind))
    if kind == "gpipe":
        forward = [("F", i) for i in range(micro)]
        return [[*forward, *(("B", i) for i in reversed(range(micro)))] for _ in range(stages)]
    rows = []
    for stage in range(stages):
        ahead = min(stages - 1 - stage, micro)  # so many until the first gradient comes back
        row = [("F", i) for i in range(ahead)]
        for i in range(micro):
            if ahead + i < micro:
                row.append(("F", ahead + i))
            row.append(("B", i))
        rows.append(row)
    return rows


def pipeline_times(
    schedule: list[list[tuple[str, int]]], forward: float = 1.0, backward: float = 2.0
) -> list[list[tuple[str, int, float, float]]]:
    """When each stage begins and ends each of its actions, if messages took no time.

    Examples
    --------
    >>> for row in pipeline_times(pipeline_schedule(2, 2)):
    ...     print(*(f"{what}{i}:{begin:.0f}-{end:.0f}" for what, i, begin, end in row))
    F0:0-1 F1:1-2 B0:4-6 B1:7-9
    F0:1-2 B0:2-4 F1:4-5 B1:5-7
    """
    last, ends = len(schedule) - 1, {}
    rows, clocks, at = [[] for _ in schedule], [0.0] * len(schedule), [0] * len(schedule)
    while any(i < len(row) for i, row in zip(at, schedule, strict=True)):
        moved = False
        for s, row in enumerate(schedule):
            if at[s] == len(row):
                continue
            what, i = row[at[s]]
            needs = ("F", i, s - 1) if what == "F" else ("B", i, s + 1) if s < last else ("F", i, s)
            if needs not in ends and (what == "B" or s > 0):
                continue
            begin = max(clocks[s], ends.get(needs, 0.0))
            clocks[s] = ends[what, i, s] = begin + (forward if what == "F" else backward)
            rows[s].append((what, i, begin, clocks[s]))
            at[s], moved = at[s] + 1, True
        demand(moved, "schedule", "an order that can be kept", "stages that wait for each other")
    return rows


def bubble(times: list[list[tuple[str, int, float, float]]]) -> float:
    """The part of the time, from `pipeline_times`, in which a stage waits: (p - 1) / (m + p - 1).

    Examples
    --------
    >>> print(bubble(pipeline_times(pipeline_schedule(4, 12))), 3 / (12 + 3))
    0.2 0.2
    """
    total = max(row[-1][3] for row in times)
    busy = sum(end - begin for row in times for _, _, begin, end in row)
    return round(1 - busy / (total * len(times)), 12)


# ------------------------------------------------------------------------------------- one process, less room


def accumulate(parts: Sequence[tuple[float, Any, int]]) -> tuple[float, Any]:
    """Mean loss and gradient of a batch from those of its micro-batches: each weighs what it holds.

    Parameters
    ----------
    parts : sequence of (loss, grads, count)
        Of each micro-batch the mean over its tokens, and how many these are.

    Examples
    --------
    >>> loss, grads = accumulate([(1.0, {"w": np.array([1.0])}, 9), (5.0, {"w": np.array([3.0])}, 1)])
    >>> print(loss, grads["w"])
    1.4 [1.2]
    """
    total = sum(count for _, _, count in parts)
    demand(total > 0, "parts", "a token at least", "none")
    parts = [part for part in parts if part[2]]  # the mean over no token is no number
    loss = sum(loss * (count / total) for loss, _, count in parts)
    scaled = [tree_map(lambda g, c=count: g * (c / total), grads) for _, grads, count in parts]
    out = scaled[0]
    for grads in scaled[1:]:
        out = tree_map(np.add, out, grads)
    return loss, out


def checkpointed_loss(
    params: dict,
    x: Float[Array, "B C"],
    targets: Integer[Array, "B"],
    seeds: Sequence[int],
    p: float = 0.1,
    every: int | None = None,
) -> tuple[Scalar, dict, int]:
    """`tower_loss` with dropout, that keeps the input of every few blocks only and works out the rest again.

    A mask is drawn from its block's own seed. So the second time it is the same mask: a new one would give
    the gradient of another network.

    Parameters
    ----------
    seeds : a number for each block
    every : int, optional
        Blocks from one kept input to the next; by default everything is kept.

    Returns
    -------
    loss, grads
    kept : int
        Bytes of activations kept at the same time, at the most.

    References
    ----------
    Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost" (2016).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> params, x = init_tower(rng, C=4, F=16, V=3, n_blocks=9), rng.normal(size=(8, 4))
    >>> data = x, rng.integers(0, 3, 8), range(9)
    >>> whole, few = checkpointed_loss(params, *data), checkpointed_loss(params, *data, every=3)
    >>> np.array_equal(whole[1]["head"], few[1]["head"]), few[2] < whole[2] / 2
    (True, True)
    """
    blocks = params["blocks"]
    demand(len(seeds) == len(blocks), "seeds", f"{len(blocks)}, one for each block", len(seeds))
    every = len(blocks) if every is None else whole("every", every, 1)
    recompute = every < len(blocks)
    inputs, kept = [x], 0
    for start in range(0, len(blocks), every):
        part = slice(start, start + every)
        h, caches = _dropped_up(blocks[part], inputs[-1], seeds[part], p)
        inputs.append(h)
        if recompute:
            caches = None
    loss, dx, dhead = _top(params["head"], inputs[-1], targets, 1.0)
    grads, stored = [], sum(h.nbytes for h in inputs)
    for i, start in reversed([*enumerate(range(0, len(blocks), every))]):
        part = slice(start, start + every)
        if recompute:
            _, caches = _dropped_up(blocks[part], inputs[i], seeds[part], p)
        kept = max(kept, stored + activation_bytes(caches, params))
        for mlp_cache, mask_cache in reversed(caches):
            dbelow, *found = mlp_backward(dropout_backward(dx, mask_cache), mlp_cache)
            dx = dx + dbelow
            grads.insert(0, dict(zip(("w1", "b1", "w2", "b2"), found, strict=True)))
    return loss, {"blocks": grads, "head": dhead}, kept


def _dropped_up(blocks: Sequence[dict], x: Array, seeds: Sequence[int], p: float) -> tuple[Array, list]:
    caches = []
    for block, seed in zip(blocks, seeds, strict=True):
        update, mlp_cache = mlp(x, **block)
        mask = np.random.default_rng(seed).random(update.shape) >= p
        update, mask_cache = dropout(update, mask, p)
        x = x + update
        caches.append((mlp_cache, mask_cache))
    return x, caches


def activation_bytes(cache: Any, params: Any = ()) -> int:
    """Bytes of all arrays in a cache, each counted once; those of the parameters are left out.

    Examples
    --------
    >>> x, w = np.ones((5, 4)), np.ones((4, 3))
    >>> activation_bytes(linear(x, w)[1], [w])  # x, 5 x 4 x 8
    160
    """
    seen = {id(_buffer(w)) for w in _arrays(params)}
    total = 0
    for array in _arrays(cache):
        buffer = _buffer(array)
        if id(buffer) not in seen:
            seen.add(id(buffer))
            total += buffer.nbytes
    return total


def _buffer(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _arrays(tree: Any) -> list[Array]:
    if isinstance(tree, np.ndarray):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return [array for part in parts for array in _arrays(part)]


# -------------------------------------------------------------------------------------------- sixteen bits


def through_float16(grads: Any, scale: float = 1.0) -> Any:
    """Gradients as they come out of a backward pass in float16 of ``scale`` times the loss.

    None if any of them overflows.

    Below 6e-8 float16 has nothing but 0, above 65504 infinity. What is multiplied before and divided after
    (in float32) fits in between.

    References
    ----------
    Micikevicius et al., "Mixed precision training" (2018), section 3.2.

    Examples
    --------
    >>> tiny = {"w": np.array([2.0**-30, 0.5], np.float32)}
    >>> print(through_float16(tiny)["w"], through_float16(tiny, 2.0**16)["w"], through_float16(tiny, 2.0**30))
    [0.  0.5] [9.313226e-10 5.000000e-01] None
    """
    scale = number("scale", scale, above=0)

    def halved(g: Array) -> Array:
        with np.errstate(over="ignore"):
            return (g * scale).astype(np.float16).astype(np.float32) / scale

    out = tree_map(halved, grads)
    return out if all(np.isfinite(g).all() for g in _arrays(out)) else None


def next_scale(scale: float, good: int, finite: bool, patience: int = 2000) -> tuple[float, int]:
    """The loss's scale for the next step: half after an overflow, twice after ``patience`` good ones.

    Parameters
    ----------
    scale : float
    good : int
        Good steps since the scale last changed.
    finite : bool
        Whether this step's gradients were; where they were not, no step is made.

    Examples
    --------
    >>> next_scale(1024.0, 7, False), next_scale(1024.0, 7, True), next_scale(1024.0, 1999, True)
    ((512.0, 0), (1024.0, 8), (2048.0, 0))
    """
    if not finite:
        return scale / 2, 0
    return (scale * 2, 0) if good + 1 >= patience else (scale, good + 1)

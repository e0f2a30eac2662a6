"""A learning rate for each layer: the lower, the slower."""

import math

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_layers, lr):
        names = ["wte", "wpe", "wse", "ln.w", "ln.b", "pooler.w", "pooler.b", "classifier.w", "classifier.b"]
        for i in range(n_layers):
            names += [f"blocks.{i}.attn.wqkv", f"blocks.{i}.ln1.w", f"blocks.{i}.mlp.b2"]
        names = [names[i] for i in rng.permutation(len(names))]
        return names, n_layers, lr, float(rng.uniform(0.6, 0.95))

    def few(n_layers, *names):  # not every parameter of a model need be there
        names = ["wte", "classifier.b", *names]
        return [names[i] for i in rng.permutation(len(names))], n_layers, 0.1, float(rng.uniform(0.6, 0.95))

    return [
        (["classifier.b", "blocks.1.ln1.w", "blocks.0.ln1.w", "wte"], 2, 1.0, 0.5),
        few(3, "ln.w", "pooler.w"),  # no block at all
        few(12, "blocks.3.attn.wqkv", "blocks.10.ln1.w"),  # the last block is missing
        few(24, "blocks.21.mlp.b2", "blocks.12.ln2.b", "wse"),
        case(6, 1e-3),
        case(12, 2e-4),
        case(2, 0.05),
        case(1, 1.0),
        case(24, 3e-5),
    ]


def layer_rates(names, n_layers, lr, decay):
    rates = {}
    for name in names:
        first, *rest = name.split(".")
        if first in ("pooler", "classifier"):
            depth = 0  # new: the full rate
        elif first == "blocks":
            depth = n_layers - int(rest[0])
        else:
            depth = n_layers + 1  # the embeddings and their norm
        rates[name] = lr * decay**depth
    return rates


def height(names, n_layers, lr, decay):
    def height_of(name):  # 0 for the embeddings, n_layers + 1 for the head
        if name.startswith("blocks."):
            return 1 + int(name.split(".")[1])
        return n_layers + 1 if name.startswith(("pooler.", "classifier.")) else 0

    return {name: lr * math.pow(decay, n_layers + 1 - height_of(name)) for name in names}


def table(names, n_layers, lr, decay):
    rates, rate = {"pooler": lr, "classifier": lr}, lr
    for i in reversed(range(n_layers)):
        rate = rate * decay
        rates[f"blocks.{i}"] = rate
    rest = rate * decay
    return {
        n: rates.get(n.split(".")[0], rates.get(".".join(n.split(".")[:2]), rest)) if "." in n else rest
        for n in names
    }


EXERCISE = Exercise(
    title="A learning rate for each layer",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=layer_rates,
    alternatives=(height, table),
    mistakes=(
        mistake(
            "counted the blocks that names holds",
            "rates = {} -> rates = {}\n"
            'n_layers = len({name.split(".")[1] for name in names if name.startswith("blocks")})',
            "n_layers says how many blocks the model has: not each of them need be in names.",
        ),
        mistake(
            "the first layers fastest",
            ("n_layers - int(rest[0]) -> int(rest[0]) + 1", "n_layers + 1 -> 0"),
            "The lowest layers know the most general things: they should move least.",
        ),
        mistake(
            "the blocks the wrong way round",
            "n_layers - int(rest[0]) -> int(rest[0]) + 1",
            "The last block is one step below the head, block 0 is n_layers steps below it.",
        ),
        mistake(
            "the blocks a step too high",
            "n_layers - int(rest[0]) -> n_layers - 1 - int(rest[0])",
            "The last block is one step below the head: of 2 blocks block 1 is the last.",
        ),
        mistake(
            "the blocks divided by decay",
            "n_layers - int(rest[0]) -> int(rest[0]) - n_layers",
            "With decay below 1 the rates must shrink downwards: count the steps below the head.",
        ),
        mistake(
            "the blocks counted in the names",
            "rates = {}\n"
            'n_layers = max((int(n.split(".")[1]) + 1 for n in names if n.startswith("blocks.")), default=0)',
            "Not every block need be in names: n_layers says how many there are.",
        ),
        mistake(
            "the last block at the full rate",
            ("n_layers - int(rest[0]) -> n_layers - 1 - int(rest[0])", "n_layers + 1 -> n_layers"),
            "Only what is new gets lr itself: the last block is one step below it.",
        ),
        mistake(
            "one digit of the block's number",
            "int(rest[0]) -> int(rest[0][0])",
            "blocks.12 is block 12, not block 1: split the name at its dots.",
        ),
        mistake(
            "the last digit of the block's number",
            "int(rest[0]) -> int(rest[0][-1])",
            "blocks.12 is block 12, not block 2: split the name at its dots.",
        ),
        mistake(
            "only the classifier is new",
            'first in ("pooler", "classifier") -> first == "classifier"',
            "The pooler belongs to the head as well: full rate.",
        ),
        mistake(
            "embeddings at the full rate",
            "n_layers + 1 -> 0",
            "The embeddings lie below block 0: they are the slowest.",
        ),
        mistake(
            "embeddings at block 0's rate",
            "n_layers + 1 -> n_layers",
            "The embeddings are one step below block 0.",
        ),
        mistake(
            "embeddings frozen",
            "depth = n_layers + 1 -> rates[name] = 0.0\ncontinue",
            "The embeddings are slowest, but they do move.",
        ),
        mistake(
            "the embeddings left out",
            "depth = n_layers + 1 -> continue",
            "Every name has its rate: also those that stand in no block.",
        ),
        mistake(
            "brackets forgotten in the power",
            "depth = n_layers + 1 -> rates[name] = lr * decay**n_layers + 1\ncontinue",
            "a ** n + 1 is (a ** n) + 1: put the exponent into brackets.",
        ),
        mistake(
            "the pooler one step below the classifier",
            'depth = 0 -> depth = int(first == "pooler")',
            "The pooler belongs to the head: full rate.",
        ),
        mistake(
            "the head a step lower, too, and with it all the rest",
            "lr * decay**depth -> lr * decay ** (depth + 1)",
            "The head is new: it has lr itself.",
        ),
        mistake(
            "the norms inside the blocks taken for the embeddings'",
            'elif first == "blocks": -> elif first == "blocks" and "ln" not in name:',
            "Only the norm that stands in no block, 'ln.w', is the embeddings' own.",
        ),
        mistake(
            "the embeddings' norm at the full rate",
            '("pooler", "classifier") -> ("pooler", "classifier", "ln")',
            "'ln.w' belongs to the embeddings: it stands in no block.",
        ),
        mistake(
            "all but wte, wpe and the blocks at the full rate",
            'first in ("pooler", "classifier") -> first not in ("wte", "wpe", "blocks")',
            "Only pooler and classifier are new: everything else that stands in no block is slowest.",
        ),
        mistake(
            "the head first in line",
            ("n_layers + 1 -> n_layers + 2", "n_layers - int(rest[0]) -> n_layers + 1 - int(rest[0])"),
            "The last block is one step below the head, not two.",
        ),
        mistake(
            "multiplied, not to the power",
            "rates[name] = lr * decay * depth if depth else lr",
            "Each layer is decay times the one above: that makes a power.",
        ),
        mistake(
            "divided instead of multiplied",
            "rates[name] = lr / decay**depth",
            "With decay below 1 the rates must shrink downwards.",
        ),
        mistake(
            "one step down only",
            "rates[name] = lr * decay if depth else lr",
            "Each layer is slower than the one above it, not only slower than the head.",
        ),
        mistake(
            "decay times the depth taken off",
            "rates[name] = lr * (1 - decay * depth)",
            "Each step multiplies by decay: 1, 0.8, 0.64 ...",
        ),
        mistake(
            "decay taken off in equal steps",
            "rates[name] = lr * (1 - (1 - decay) * depth)",
            "Each step multiplies by decay: 1, 0.8, 0.64 ...",
        ),
        mistake(
            "lr in the power, too",
            "rates[name] = (lr * decay) ** depth if depth else lr",
            "The power belongs to decay alone: lr * decay**depth.",
        ),
    ),
    hints=(
        "Give each name a depth: 0 for the head, 1 for the last block, 2 for the one below it ...",
        'name.split(".") cuts "blocks.11.ln1.w" into its parts; int of the second is the block.',
        "The rate is lr * decay**depth. Which depth do the embeddings have, one below block 0?",
    ),
)

"""Rows of a table for the pairs and triples of tokens that end at each place."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, rows):
        ids = rng.integers(1, 80, (B, T))
        ids.flat[:: T + 1] = 0  # token 0, not only where a row begins
        return ids, rows, int(rng.integers(1000, 9000)), int(rng.integers(100, 900))

    return [
        (np.array([[3, 4, 5]]), 100, 10, 20),
        case(3, 7, 97),
        case(2, 5, 1024),
        case(4, 2, 31),  # no triple is whole
        case(1, 9, 500),
        (rng.integers(40_000, 50_000, (2, 6)), 1013, 1_000_003, 998_244_353),  # products beyond 32 bits
        (np.array([[7], [9], [6], [0], [8]]), 13, 1003, 107),  # not even a pair is
        (np.array([[6, 6, 0, 6, 6]]), 89, 1001, 103),
    ]


def hashed_rows(ids, rows, p, q):
    one_back, two_back = np.zeros_like(ids), np.zeros_like(ids)
    one_back[:, 1:] = ids[:, :-1]  # each row of the batch is shifted on its own
    two_back[:, 2:] = ids[:, :-2]
    pairs = ids + p * one_back
    triples = pairs + q * two_back
    return pairs % rows, triples % rows


def padded(ids, rows, p, q):
    wider = np.pad(ids, ((0, 0), (2, 0)))  # two zeros before every row
    here, one_back, two_back = wider[:, 2:], wider[:, 1:-1], wider[:, :-2]
    pairs = np.mod(here + one_back * p, rows)
    return pairs, np.mod(pairs + np.mod(two_back * q, rows), rows)


def loop(ids, rows, p, q):
    pairs, triples = np.zeros_like(ids), np.zeros_like(ids)
    for b, row in enumerate(ids.tolist()):
        for t, token in enumerate(row):
            value = token + p * (row[t - 1] if t >= 1 else 0)
            pairs[b, t] = value % rows
            triples[b, t] = (value + q * (row[t - 2] if t >= 2 else 0)) % rows
    return pairs, triples


EXERCISE = Exercise(
    title="A table of hashed pairs and triples",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=hashed_rows,
    alternatives=(padded, loop),
    mistakes=(
        mistake(
            "looked at the next tokens",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back[:, :-1] = ids[:, 1:]",
                "two_back[:, 2:] = ids[:, :-2] -> two_back[:, :-2] = ids[:, 2:]",
            ),
            "The pair must end at place t: whoever sees t + 1 knows the answer.",
        ),
        mistake(
            "wrapped round: a row's beginning sees its end",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back = np.roll(ids, 1, axis=1)",
                "two_back[:, 2:] = ids[:, :-2] -> two_back = np.roll(ids, 2, axis=1)",
            ),
            "np.roll closes the row to a ring: its beginning would know its end.",
        ),
        mistake(
            "a negative index: a row's beginning sees its end",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back = ids[:, np.arange(ids.shape[1]) - 1]",
                "two_back[:, 2:] = ids[:, :-2] -> two_back = ids[:, np.arange(ids.shape[1]) - 2]",
            ),
            "ids[b, t - 1] at t = 0 is ids[b, -1], the row's last token. Before the beginning stand zeros.",
        ),
        mistake(
            "a row's beginning sees the row above",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back.flat[1:] = ids.flat[:-1]",
                "two_back[:, 2:] = ids[:, :-2] -> two_back.flat[2:] = ids.flat[:-2]",
            ),
            "The rows of a batch come from different places of the text: shift each on its own.",
        ),
        mistake(
            "np.roll without an axis: a row's beginning sees the row above, the first row the last one",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back = np.roll(ids, 1)",
                "two_back[:, 2:] = ids[:, :-2] -> two_back = np.roll(ids, 2)",
            ),
            "Without an axis np.roll takes the whole batch for one long row. Shift each row on its own.",
        ),
        mistake(
            "shifted along the batch, not along the text",
            (
                "one_back[:, 1:] = ids[:, :-1] -> one_back[1:] = ids[:-1]",
                "two_back[:, 2:] = ids[:, :-2] -> two_back[2:] = ids[:-2]",
            ),
            "ids is (B, T): which of its two axes is the text?",
        ),
        mistake(
            "the first token repeated before the beginning",
            (
                "= ids[:, :-1] -> = ids[:, :-1]\none_back[:, :1] = ids[:, :1]",
                "= ids[:, :-2] -> = ids[:, :-2]\ntwo_back[:, :2] = ids[:, :1]",
            ),
            "Before the beginning of a row stand zeros.",
        ),
        mistake(
            "row 0 where the pair or the triple is not whole",
            "return pairs % rows, triples % rows -> pairs[:, :1] = 0\ntriples[:, :2] = 0\n"
            "return pairs % rows, triples % rows",
            "Before the beginning of a row stand zeros, but the token itself still counts.",
        ),
        mistake(
            "no factors: the order is lost",
            ("pairs = ids + one_back", "triples = pairs + two_back"),
            "Without factors 'ab' and 'ba' would share a row.",
        ),
        mistake(
            "one factor for both",
            "triples = pairs + p * two_back",
            "The token two back has a factor of its own.",
        ),
        mistake(
            "p squared instead of q",
            "triples = pairs + p**2 * two_back",
            "The token two back has a factor of its own: q.",
        ),
        mistake(
            "the two factors exchanged",
            ("pairs = ids + q * one_back", "triples = pairs + p * two_back"),
            "p belongs to the token one back, q to the one two back.",
        ),
        mistake(
            "the two factors exchanged in the triple",
            "triples = ids + q * one_back + p * two_back",
            "p belongs to the token one back, q to the one two back.",
        ),
        mistake(
            "the factors on the newer tokens",
            ("pairs = one_back + p * ids", "triples = two_back + p * one_back + q * ids"),
            "The token at t itself has no factor; p goes with the one before it.",
        ),
        mistake(
            "the triple without its middle token",
            "triples = ids + q * two_back",
            "A triple is all three: it is the pair's number and one more token.",
        ),
        mistake(
            "the triple's third token is the one before, again",
            "two_back[:, 2:] = ids[:, :-2] -> two_back[:, 1:] = ids[:, :-1]",
            "Three tokens end at t: those at t, t - 1 and t - 2.",
        ),
        mistake(
            "q times the pair before, not the token two back",
            "triples = ids + q * np.pad(pairs % rows, ((0, 0), (1, 0)))[:, :-1]",
            "q goes with one token, the one two places back.",
        ),
        mistake(
            "the token itself left out",
            "pairs = p * one_back",
            "The pair that *ends* at t has the token at t in it.",
        ),
        mistake(
            "no remainder taken",
            "return pairs, triples",
            "The table has only so many rows.",
        ),
        mistake(
            "no remainder taken of the triple",
            "return pairs % rows, triples",
            "The table has only so many rows.",
        ),
        mistake(
            "the two in the other order",
            "return triples % rows, pairs % rows",
            "First the pair's row, then the triple's.",
        ),
        mistake(
            "one array under two names: the second shift is written over the first",
            "two_back[:, 2:] = ids[:, :-2] -> two_back = one_back\ntwo_back[:, 2:] = ids[:, :-2]",
            "two = one makes no copy: what is written to one is seen in the other.",
        ),
        mistake(
            "the remainder of the last product only: % binds more tightly than +",
            "return ids + p * one_back % rows, pairs + q * two_back % rows",
            "a + b * c % R is a + ((b * c) % R): put brackets round the sum.",
        ),
        mistake(
            "a quotient instead of the remainder",
            "return pairs // rows, triples // rows",
            "// says how often R fits in; % says what is left, and that is below R.",
        ),
    ),
    hints=(
        "Make one_back, an array like ids that holds at place t the token of place t - 1, and 0 at place 0.",
        "one_back[:, 1:] = ids[:, :-1] keeps the rows of the batch apart.",
    ),
)

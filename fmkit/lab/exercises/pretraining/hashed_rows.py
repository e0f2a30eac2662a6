"""Rows of a table for the pairs and triples of tokens that end at each place."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, rows):
        return rng.integers(1, 80, (B, T)), rows, int(rng.integers(1000, 9000)), int(rng.integers(100, 900))

    return [case(3, 7, 97), case(2, 5, 1024), case(4, 2, 31), case(1, 9, 500), case(5, 1, 13)]


def hashed_rows(ids, rows, p, q):
    one_back, two_back = np.zeros_like(ids), np.zeros_like(ids)
    one_back[:, 1:] = ids[:, :-1]  # each row of the batch is shifted on its own
    two_back[:, 2:] = ids[:, :-2]
    pairs = ids + p * one_back
    return pairs % rows, (pairs + q * two_back) % rows


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
            "one_back, two_back = np.roll(ids, 1, axis=1), np.roll(ids, 2, axis=1)",
            "np.roll closes the row to a ring: its beginning would know its end.",
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
            "the first token repeated before the beginning",
            "one_back, two_back = np.zeros_like(ids) + ids[:, :1], np.zeros_like(ids) + ids[:, :1]",
            "Before the beginning of a row stand zeros.",
        ),
        mistake(
            "no factors: the order is lost",
            ("pairs = ids + one_back", "return pairs % rows, (pairs + two_back) % rows"),
            "Without factors 'ab' and 'ba' would share a row.",
        ),
        mistake(
            "one factor for both",
            "return pairs % rows, (pairs + p * two_back) % rows",
            "The token two back has a factor of its own.",
        ),
        mistake(
            "the two factors exchanged",
            ("pairs = ids + q * one_back", "return pairs % rows, (pairs + p * two_back) % rows"),
            "p belongs to the token one back, q to the one two back.",
        ),
        mistake(
            "the triple without its middle token",
            "return pairs % rows, (ids + q * two_back) % rows",
            "A triple is all three: it is the pair's number and one more token.",
        ),
        mistake(
            "the token itself left out",
            "pairs = p * one_back",
            "The pair that *ends* at t has the token at t in it.",
        ),
        mistake(
            "no remainder taken",
            "return pairs, pairs + q * two_back",
            "The table has only so many rows.",
        ),
    ),
    hints=(
        "Make one_back, an array like ids that holds at place t the token of place t - 1, and 0 at place 0.",
        "one_back[:, 1:] = ids[:, :-1] keeps the rows of the batch apart.",
    ),
)

"""Inputs that several exercises of this chapter share."""


def letters(rng, n):
    return [str(c) for c in rng.permutation(list("abcdefghijklmnopqrstuvwxyzäß北京"))[:n]]

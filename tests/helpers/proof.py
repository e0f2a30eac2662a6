"""What a proof leaves open."""

from fmkit.lab.proof import exercise_rows


def unproven(exercise, seeds) -> dict:
    """Known answers that are not judged as they must be, each with a seed of the inputs that shows it."""
    return {
        (row.answer, row.accepted, row.named): seed
        for seed in seeds
        for row in exercise_rows(exercise, seed)
        if not row.is_proven
    }

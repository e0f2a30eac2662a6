"""Learning from a teacher as plain loops, and in torch."""

import math

from fmkit import distillation
from fmkit.twins.case import Case


def softened(row, temperature):
    powers = [math.exp((v - max(row)) / temperature) for v in row]
    return [power / sum(powers) for power in powers]


def distillation_loss_loop(student, teacher, targets, temperature=2.0, mix=0.5):
    soft = hard = 0.0
    for s, t, target in zip(student, teacher, targets, strict=True):
        q, p = softened(s, temperature), softened(t, temperature)
        soft += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
        hard -= math.log(softened(s, 1.0)[target])
    return (mix * temperature**2 * soft + (1 - mix) * hard) / len(student)


def torch_distillation_loss(student, teacher, targets, temperature=2.0, mix=0.5):
    import torch.nn.functional as F

    q, p = (F.log_softmax(logits / temperature, -1) for logits in (student, teacher))
    soft = F.kl_div(q, p, reduction="batchmean", log_target=True)
    return mix * temperature**2 * soft + (1 - mix) * F.cross_entropy(student, targets)


def inputs(rng):
    return 2.0 * rng.standard_normal((5, 4)), 2.0 * rng.standard_normal((5, 4)), rng.integers(0, 4, 5)


CASES = {
    "distillation_loss": Case(
        distillation.distillation_loss,
        distillation.distillation_loss_backward,
        inputs,
        torch_distillation_loss,
        distillation_loss_loop,
        constant=(1,),
    ),
    "distillation_loss hot": Case(
        lambda *given: distillation.distillation_loss(*given, temperature=5.0, mix=0.9),
        distillation.distillation_loss_backward,
        inputs,
        lambda *given: torch_distillation_loss(*given, temperature=5.0, mix=0.9),
        lambda *given: distillation_loss_loop(*given, temperature=5.0, mix=0.9),
        constant=(1,),
    ),
}

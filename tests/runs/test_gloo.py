"""The tower by torch.distributed on real processes: the losses of our own processes, step by step."""

import numpy as np
import pytest

pytest.importorskip("torch")

from fmkit.lab.workbench import scale  # noqa: E402
from fmkit.parallel import train_alone  # noqa: E402
from fmkit.twins.parallel import WAYS, losses_by_gloo  # noqa: E402


@pytest.mark.slow
def test_gloo_gives_the_same_losses():
    params, x, targets = scale.tower()
    alone = train_alone(params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)["losses"]
    found = losses_by_gloo(2, params, x, targets, scale.TOWER_STEPS, scale.TOWER_LR)
    assert found.keys() == WAYS.keys()
    for losses in found.values():
        np.testing.assert_allclose(losses, alone, rtol=0, atol=1e-12)

"""The two names that every signature of the reference uses."""

from typing import Any

import numpy as np

Array = np.ndarray
Cache = Any  # what a forward pass keeps for its backward pass: a tuple of arrays, opaque to the caller

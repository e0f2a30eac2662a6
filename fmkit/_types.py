"""The names that every signature of the reference uses."""

from typing import Any

import numpy as np
from jaxtyping import Float

Array = np.ndarray
Scalar = float | np.floating | Float[Array, ""]  # one number: a loss, or the gradient that enters it
Cache = Any  # what a forward pass keeps for its backward pass: a tuple of arrays, opaque to the caller

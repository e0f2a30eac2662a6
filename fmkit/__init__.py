"""fmkit: foundation models from scratch, a chapter at a time.

The reference (NumPy only, hand-written backward passes) lives in plain modules, in the order of the chapters:
`text`, `activations`, `losses`, `layers`, `optimizers`, `attention`, `transformer`, `training`, `generation`.
``import fmkit`` itself imports nothing heavy.
"""

from fmkit import _moved

__version__ = "0.1.0"

_moved.install()

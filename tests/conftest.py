"""Check every jaxtyping signature of the package at run time, in tests only (never on the hot path)."""

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("fmkit", "beartype.beartype")

# The same examples in every run, and no time limit for one of them: a busy machine fails no test
settings.register_profile("fmkit", deadline=None, derandomize=True)
settings.load_profile("fmkit")

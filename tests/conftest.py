"""Check every jaxtyping signature of the package at run time, in tests only (never on the hot path)."""

from jaxtyping import install_import_hook

install_import_hook("fmkit", "beartype.beartype")

"""The command `fmkit`."""

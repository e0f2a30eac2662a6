"""Every operation in all its forms, for `fmkit.crosscheck`: each module holds ``CASES: dict[str, Case]``."""

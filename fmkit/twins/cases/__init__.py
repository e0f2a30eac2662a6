"""Every operation in all its forms, for `crosscheck`: each module holds ``CASES: dict[str, Case]``."""

"""Where a learner's answers run when they are graded: see README.md."""

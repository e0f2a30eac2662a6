"""From what was handed in to verdicts, in one journal."""

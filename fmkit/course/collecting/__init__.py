"""From an archive of the LMS to files that have an owner."""

"""The chapters as files: find, read, the student version, a clean form."""

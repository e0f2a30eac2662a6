"""Data and models, as NumPy takes them: fetched once, checked by hash, read offline."""

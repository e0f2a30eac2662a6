"""Pretraining a small language model (chapter 07)."""

"""The same things in torch, and the proof that both agree."""

"""Whole programs behind the commands: pretraining and fine-tuning from data to a folder of results."""

"""Fine-tuning a pretrained BERT on film reviews (chapter 08)."""

"""GPT-2 on product descriptions: tokens, model, fine-tuning, sampling; knows no catalogue."""

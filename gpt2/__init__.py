"""GPT-2 on product descriptions: encoder, model, fine-tuning, sampling; knows no picture and no catalogue."""

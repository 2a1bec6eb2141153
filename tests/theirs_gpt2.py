"""What the library `transformers` does with a model folder, as a process of its own.

    python tests/theirs_gpt2.py FOLDER WISHES.json ANSWERS.json

Torch and TensorFlow do not bear each other in one process. Wishes: `tokens` for logits, `prompts`
for greedy texts, `texts` for their ids, `room` for a text, and `save`, the keyword arguments of a
`save_pretrained`, before which all weights are changed as if by training; or null.
"""

import json
import pathlib
import sys

import torch
import transformers


def _changed(gpt2):
    rng = torch.Generator().manual_seed(7)
    for parameter in gpt2.parameters():
        parameter += 0.05 * torch.randn(parameter.shape, generator=rng)


def _continuation(gpt2, tokenizer, prompt, room):
    """The greedy ids behind end-of-text and a prompt; what ends it is left to their settings."""
    start = torch.tensor([[tokenizer.eos_token_id] + tokenizer.encode(prompt)])
    ids = gpt2.generate(start, attention_mask=torch.ones_like(start), do_sample=False,
                        max_length=room, pad_token_id=tokenizer.eos_token_id)
    return ids[0, start.shape[1]:].tolist()


@torch.no_grad()
def answers(folder, wishes):
    """All that is asked of the model in `folder`, as a JSON-able dict."""
    gpt2, loading = transformers.GPT2LMHeadModel.from_pretrained(folder, output_loading_info=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    gpt2.eval()
    if wishes['save']:
        _changed(gpt2)
        gpt2.save_pretrained(**wishes['save'])
        tokenizer.save_pretrained(wishes['save']['save_directory'])
    written = [_continuation(gpt2, tokenizer, prompt, wishes['room'])
               for prompt in wishes['prompts']]
    return {
        'wrong': [name for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys')
                  for name in loading[kind]],
        'logits': gpt2(torch.tensor(wishes['tokens'])).logits.tolist(),
        'written': written, 'ids': [tokenizer.encode(text) for text in wishes['texts']],
        'decoded': [tokenizer.decode(ids, skip_special_tokens=True,
                                     clean_up_tokenization_spaces=False) for ids in written],
        'vocabulary': [len(tokenizer), tokenizer.eos_token_id, tokenizer.model_max_length]}


if __name__ == '__main__':
    _folder, _wishes, _out = sys.argv[1:]
    pathlib.Path(_out).write_text(json.dumps(
        answers(_folder, json.loads(pathlib.Path(_wishes).read_text()))))

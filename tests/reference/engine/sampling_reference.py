"""Which tokens are drawn: rows of made-up logits with given numbers (numpy), and whole sampled replies of the demo chat model
with system prompt, prefilled reply, and stop sequences (transformers on PyTorch), the random numbers included.

    pip install numpy torch transformers
    python sampling_reference.py ../../../data/models > sampling_reference.json

Nothing of quantbias is used. The stream of random numbers is made from the description in `src/stats/stream.rs` and
`src/engine/draw.rs` with a ChaCha of its own; tokens are drawn by the rule in the documentation of `Sampling`.
"""

import json
import sys

import numpy as np

MASK = 0xFFFFFFFF


def chacha(key, counter, stream, rounds):
    """One block of 64 bytes: a 64-bit counter and a 64-bit stream number (Bernstein's original layout)."""
    words = lambda b: [int.from_bytes(b[i : i + 4], "little") for i in range(0, len(b), 4)]
    start = words(b"expand 32-byte k") + words(key) + words(counter.to_bytes(8, "little") + stream.to_bytes(8, "little"))
    x = list(start)

    def quarter(a, b, c, d):
        for p, q, r, s in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
            x[p] = (x[p] + x[q]) & MASK
            x[r] ^= x[p]
            x[r] = ((x[r] << s) | (x[r] >> (32 - s))) & MASK

    for _ in range(rounds // 2):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return b"".join(((a + b) & MASK).to_bytes(4, "little") for a, b in zip(x, start))


def absorb(key, word):
    return chacha(key, 1 << 62, word, 20)[:32]


def child(key, name):
    data = name.encode()
    key = absorb(key, len(data))
    for at in range(0, len(data), 8):
        key = absorb(key, int.from_bytes(data[at : at + 8].ljust(8, b"\0"), "little"))
    return key


def uniforms(seed, benchmark, item, repeat, setting, count):
    key = absorb(b"quantbias stream root v1" + seed.to_bytes(8, "little"), seed)
    for name in ["sampled text", benchmark, item] + ([setting] if setting else []):
        key = child(key, name)
    data = b"".join(chacha(key, block, repeat, 8) for block in range(-(-count // 8)))
    return [(int.from_bytes(data[i * 8 : i * 8 + 8], "little") >> 11) / 2.0**53 for i in range(count)]


def kept(row, temperature=1.0, top_k=None, top_p=None, min_p=None):
    """Tokens and weights that the filters leave, in falling order."""
    row = np.asarray(row, dtype=np.float32).astype(np.float64)
    order = np.lexsort((np.arange(len(row)), -row))
    order = order[: top_k or len(order)]
    weights = np.exp((row[order] - row.max()) / temperature)
    if top_p is not None:
        enough = np.searchsorted(np.cumsum(weights), top_p * weights.sum(), side="left") + 1
        order, weights = order[:enough], weights[:enough]
    if min_p is not None:
        stays = weights >= min_p * weights[0]
        order, weights = order[stays], weights[stays]
    return order, weights


def draw(row, u, **how):
    order, weights = kept(row, **how)
    edges = np.cumsum(weights) / weights.sum()
    at = min(int(np.searchsorted(edges, u, side="right")), len(order) - 1)
    near = float(np.abs(edges - u).min())
    return int(order[at]), near


HOW = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.0},
    {"top_k": 1},
    {"top_k": 5},
    {"top_p": 0.3},
    {"top_p": 0.9},
    {"top_p": 1.0},
    {"min_p": 0.2},
    {"min_p": 1.0},
    {"temperature": 1.5, "top_k": 12, "top_p": 0.8, "min_p": 0.1},
]


def rows():
    random = np.random.default_rng(20260101)
    cases = []
    for how in HOW:
        # One decimal, so that equal logits occur.
        row = np.round(random.normal(0, 2, 40), 1).astype(np.float32)
        numbers = [float(u) for u in random.random(25)]
        drawn = [draw(row, u, **how) for u in numbers]
        assert min(near for _, near in drawn) > 1e-9
        cases.append({"how": how, "row": [float(x) for x in row], "numbers": numbers, "tokens": [t for t, _ in drawn],
                      "kept": [int(t) for t in kept(row, **how)[0]]})
    return cases


PROMPTS = [
    # system, user, prefill, stop, most tokens, how, (seed, benchmark, item, repeat, own setting)
    ("You answer in one short sentence.", "Who was late?", None, [], 16, None, None),
    ("You are a teacher.", "The nurse and the plumber met. Who was late?", "The answer is", [], 12, None, None),
    (None, "Tell me about the woman who worked as a teacher.", "She", [" the", "."], 40, None, None),
    (None, "Tell me about the woman who worked as a teacher.", None, [], 24, {"temperature": 1.0}, (7, "toy", "a", 1, None)),
    ("You are a teacher.", "Tell me about the old man.", "He was", [], 24, {"temperature": 0.8, "top_p": 0.9}, (7, "toy", "a", 2, None)),
    (None, "Tell me about the old man.", None, ["\n"], 24, {"temperature": 1.2, "top_k": 50, "min_p": 0.02}, (20260101, "toy", "b", 1, "chat@none")),
]


def replies(root):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(f"{root}/chat")
    model = AutoModelForCausalLM.from_pretrained(f"{root}/chat", dtype=torch.float32).eval()
    plain = lambda t: tokenizer(t, add_special_tokens=False)["input_ids"]
    decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    found = []
    for system, user, prefill, stop, most, how, name in PROMPTS:
        turns = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": user}]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) + (prefill or "")
        start = [tokenizer.bos_token_id] + plain(text)
        numbers = uniforms(*name, most) if name else None
        new, finish, answer = [], "length", None
        while len(new) < most:
            with torch.no_grad():
                row = model(torch.tensor([start + new])).logits[0, -1].float().numpy()
            if numbers is None:
                first, second = np.sort(row)[::-1][:2]
                assert first - second > 1e-3, "too close to call in float32"
                token = int(row.argmax())
            else:
                token, near = draw(row, numbers[len(new)], **how)
                assert near > 1e-5, "too close to call in float32"
            if token in {model.config.eos_token_id, tokenizer.eos_token_id}:
                finish = "stop"
                break
            new.append(token)
            at = [decode(new).find(s) for s in stop if s in decode(new)]
            if at:
                finish, answer = "stop", decode(new)[: min(at)]
                new = next(new[:n] for n in range(len(new) + 1) if decode(new[:n]).startswith(answer))
                break
        found.append({"system": system, "user": user, "prefill": prefill, "stop": stop, "max_tokens": most, "how": how,
                      "name": name, "numbers": numbers, "prompt_tokens": len(start), "tokens": new, "finish": finish,
                      "text": decode(new) if answer is None else answer})
    return found


json.dump({"rows": rows(), "replies": replies(sys.argv[1])}, sys.stdout, indent=1, ensure_ascii=False)
print()

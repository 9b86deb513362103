#!/usr/bin/env python3
"""lm-evaluation-harness (Hugging Face back end, PyTorch on the CPU) on the items of the bench's own runs.

  harness.py --runs FOLDER --model DIR --threads N [--batches 1,4,16,64]

Started by `cargo bench --bench runner -- --peer PYTHON`, straight after ours and on the same cores. Needs torch,
transformers, lm_eval, pyarrow (and `taskset`); no network. Every run directory below FOLDER holds its items and the records of the
unquantized model: the same texts go to `HFLM` as log-likelihood or generate-until requests, once per batch size, and
the best time counts. An item's time is compared with that of ours: answers per second, loading left out on both
sides. Log-likelihoods are compared too, with the largest difference named.
"""
import argparse, glob, json, os, time

arguments = argparse.ArgumentParser()
arguments.add_argument("--runs", required=True)
arguments.add_argument("--model", required=True)
arguments.add_argument("--threads", type=int, required=True)
arguments.add_argument("--batches", default="1,4,16,64")
args = arguments.parse_args()
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false",
                  TRANSFORMERS_VERBOSITY="error", HF_HUB_DISABLE_PROGRESS_BARS="1")

import pyarrow.parquet as parquet
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

torch.set_num_threads(args.threads)

# Seconds after which no larger batch is tried.
PATIENCE = 20.0


def load(run):
    """Items of a run, the labels and log-likelihoods of our records, and our workers' seconds."""
    lines = [json.loads(l) for l in open(glob.glob(f"{run}/items/*.jsonl")[0])][1:]
    rows = {}
    for part in sorted(glob.glob(f"{run}/records/*/m@none/*.parquet")):
        for row in parquet.read_table(part).to_pylist():
            rows[row["item"]] = row
    log = [json.loads(l) for l in open(f"{run}/log.jsonl")]
    speed = next(e["speed"] for e in log if e["event"] == "speed" and e["setting"] == "m@none")
    seconds = (speed["engine"] + speed["around"] + speed["waiting"]) * 1e-6 / args.threads
    return lines, rows, seconds


def requests(item):
    """One item as requests of the harness."""
    ask = item["ask"]
    if ask["kind"] == "likelihood":
        return [Instance("loglikelihood", {}, (c["context"], c["text"]), i) for i, c in enumerate(ask["candidates"])]
    if ask["kind"] == "first_token":
        return [Instance("loglikelihood", {}, (ask["prompt"], w), i) for i, w in enumerate(ask["words"])]
    limit = {"until": [], "max_gen_toks": ask["max_tokens"], "do_sample": False}
    return [Instance("generate_until", {}, (ask["prompt"], limit), 0)]


def answer(model, asked):
    kind = asked[0].request_type
    began = time.perf_counter()
    found = getattr(model, kind)(asked, disable_tqdm=True)
    return time.perf_counter() - began, found


def compare(items, rows, found, tokenizer):
    """Largest difference in log-likelihood, or the share of equal texts."""
    worst, equal, at = 0.0, 0, 0
    for item in items:
        row, ask = rows[item["id"]], item["ask"]
        if ask["kind"] == "generate":
            equal += row["text"].strip() == found[at].strip()
            at += 1
            continue
        start = 0
        for place, end in enumerate(row["ends"]):
            theirs = found[at][0]
            at += 1
            if ask["kind"] == "likelihood":
                mine = sum(row["logprobs"][start:end])
            else:
                # Ours has every single-token form of the word; the harness the one that follows the prompt.
                ids = tokenizer.encode(ask["words"][place], add_special_tokens=False)
                tokens = row["tokens"][start:end]
                mine = row["logprobs"][start + tokens.index(ids[0])] if len(ids) == 1 and ids[0] in tokens else theirs
            worst = max(worst, abs(mine - theirs))
            start = end
    if items[0]["ask"]["kind"] == "generate":
        return f"{equal} of {len(items)} texts equal"
    return f"log-likelihoods within {worst:.1e}"


def main():
    models = {}
    print(f"\nlm-evaluation-harness, {args.threads} thread(s), same items and cores, unquantized:\n")
    print("| task | ours items/s | theirs items/s (batch) | ours ÷ theirs | agreement |\n|---|---|---|---|---|")
    for run in sorted(glob.glob(f"{args.runs}/*/out/runs/*")):
        items, rows, seconds = load(run)
        asked = [r for item in items for r in requests(item)]
        best = None
        for batch in map(int, args.batches.split(",")):
            if batch not in models:
                models[batch] = HFLM(pretrained=args.model, device="cpu", dtype="float32", batch_size=batch)
            answer(models[batch], asked[: 2 * batch])
            took, found = answer(models[batch], asked)
            if best is None or took < best[0]:
                best = (took, batch, compare(items, rows, found, models[batch].tokenizer))
            if took > PATIENCE:
                break
        took, batch, agreement = best
        task = run.split("/")[-4]
        ours, theirs = len(items) / seconds, len(items) / took
        print(f"| {task} | {ours:.1f} | {theirs:.1f} ({batch}) | **{ours / theirs:.2f}** | {agreement} |", flush=True)


main()

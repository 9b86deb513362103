#!/usr/bin/env python3
"""Speed against peers, back to back: kernels on one thread, thread scaling, and `analyze` end to end.

  compare.py --data FOLDER --peers peer_bench.py [--quick]

FOLDER holds S, M, L, XL.parquet (gen.py); peer_bench.py runs SciPy, NumPy, and numba on the same file with the same
interface as `--help` of it says. Needs a Python with numpy, scipy, pyarrow, numba for the peers. The program is built
first, in the ordinary release profile. Prints Markdown. Single times on a busy machine mean little; ratios are taken one
run after the other. Tables called rows-*.parquet (gen.py --rows) are streamed.
"""
import argparse, glob, json, os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Case, peer's arguments, our case.
CASES = [
    ("c cluster: interval of each change", ["--case", "c", "--unit", "cluster"], "c-cluster", ["scipy", "numpy-mult", "numba"]),
    ("c item", ["--case", "c", "--unit", "item"], "c-item", ["scipy", "numba"]),
    ("d cluster: sign-flip test, exact", ["--case", "d", "--unit", "cluster"], "d-cluster", ["scipy", "numpy", "numba"]),
    ("d cluster: sign-flip test, studentized, 9,999 draws (the analysis' own)", ["--case", "d", "--unit", "cluster"],
     "d-studentized", ["scipy", "numpy", "numba"]),
    ("e cluster: interval of each ratio's change", ["--case", "e"], "e-cluster", ["scipy", "numpy-mult", "numba"]),
]


def build(target):
    env = dict(os.environ, CARGO_TARGET_DIR=target)
    subprocess.run(["cargo", "build", "--release", "--offline"], cwd=ROOT, env=env, check=True)
    out = subprocess.run(
        ["cargo", "bench", "--no-run", "--offline", "--message-format=json", "--bench", "kernels"],
        cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    bench = [json.loads(l).get("executable") for l in out.splitlines() if '"kernels"' in l]
    return os.path.join(target, "release", "quantbias"), [b for b in bench if b][-1]


def ours(bench, file, case, threads):
    env = dict(os.environ, QUANTBIAS_BENCH_FILE=file, QUANTBIAS_BENCH_CASE=case, RAYON_NUM_THREADS=str(threads))
    return json.loads(subprocess.run([bench], env=env, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def peer(script, file, arguments, engine, quick):
    more = ["--groups", "6"] if quick or (engine == "scipy" and "item" in arguments) else []
    if engine == "scipy" and "d" in arguments:
        more = ["--groups", "10"]
    run = [sys.executable, script, "--file", file, "--engine", engine, "--threads", "1", "--no-values", *arguments, *more]
    found = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    scale = found["seconds_extrapolated"] / found["seconds"]
    return {"cpu": found["cpu_seconds"] * scale, "wall": found["seconds"] * scale, "partly": bool(more)}


def kernels(args, bench):
    file = os.path.join(args.data, "M.parquet")
    print("| case | engine | CPU s, one thread | times ours |\n|---|---|---|---|")
    for title, arguments, case, engines in CASES:
        for engine in engines:
            theirs, mine = peer(args.peers, file, arguments, engine, args.quick), ours(bench, file, case, 1)
            note = " (extrapolated)" if theirs["partly"] else ""
            print(f"| {title} | {engine}{note} | {theirs['cpu']:.3f} | {theirs['cpu'] / mine['cpu_seconds']:.0f} |")
        print(f"| {title} | quantbias | {mine['cpu_seconds']:.4f} | 1 |", flush=True)
    print()


def scaling(args, bench):
    file = os.path.join(args.data, "M.parquet")
    print("| case | threads | wall s | times faster | same bits |\n|---|---|---|---|---|")
    for case in ("c-cluster", "c-item", "d-studentized", "e-cluster"):
        one = None
        for threads in (1, 2, 4, 7):
            found = ours(bench, file, case, threads)
            one = one or found
            same = "yes" if found["check"] == one["check"] else "NO"
            print(f"| {case} | {threads} | {found['best']:.4f} | {one['best'] / found['best']:.2f} | {same} |", flush=True)
    print()


def analyze(binary, file, threads, more):
    out = tempfile.mkdtemp()
    columns = "item=item_id,cluster=cluster_id,subgroup=subgroup,setting=setting"
    run = ["/usr/bin/time", "-v", binary, "analyze", "--table", file, "--map", columns, "--metric", "correct", "--metric",
           "score", "--metric", "ratio:num/den", "--out", out, *more]
    env = dict(os.environ, RAYON_NUM_THREADS=str(threads), POLARS_MAX_THREADS=str(threads))
    text = subprocess.run(run, env=env, check=True, capture_output=True, text=True).stderr
    (path,) = glob.glob(out + "/findings/*/findings.json")
    digest = pathlib.Path(path).read_text().rsplit('"content_sha256"', 1)[1]
    shutil.rmtree(out)
    number = lambda what: re.search(what + r".*: ([\d:.]+)", text).group(1)
    wall = sum(float(x) * 60**i for i, x in enumerate(reversed(number("Elapsed").split(":"))))
    cpu = float(number("User time")) + float(number("System time"))
    return wall, cpu, int(number("Maximum resident")) / 1024, digest


def end_to_end(args, binary):
    print("| table | threads | wall s | CPU s | peak MB | same findings |\n|---|---|---|---|---|---|")
    files = [f for s in ("S", "M", "L", "XL") if os.path.exists(f := os.path.join(args.data, s + ".parquet"))]
    for file in files + sorted(glob.glob(os.path.join(args.data, "rows-*.parquet"))):
        more = ["--stream"] if "rows-" in file else []
        first = None
        for threads in (4,) if more else (4, 1):
            runs = [analyze(args.binary or binary, file, threads, more) for _ in range(1 if more else 3)]
            wall, cpu, peak, digest = min(runs)
            first = first or digest
            same = "yes" if digest == first else "NO"
            print(f"| {pathlib.Path(file).stem} | {threads} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {same} |", flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", required=True)
    args.add_argument("--peers", required=True)
    args.add_argument("--quick", action="store_true", help="six subgroups for the peers, extrapolated")
    args.add_argument("--target", default=str(ROOT / "target"), help="cargo target folder")
    args.add_argument("--binary", help="this program end to end, instead of the one that is built")
    args.add_argument("--only", choices=["kernels", "scaling", "end"])
    args = args.parse_args()
    binary, bench = build(args.target)
    if args.only in (None, "kernels"):
        kernels(args, bench)
    if args.only in (None, "scaling"):
        scaling(args, bench)
    if args.only in (None, "end"):
        end_to_end(args, binary)


if __name__ == "__main__":
    main()

"""Reference figures of the stratified jackknife of subgroups, over the whole design.

Run in this folder: python domain_values.py > domain_values.json
NumPy. Every cluster of the design has a row, of zeros where the subgroup has no item in it; each is deleted in turn and
the rest of its stratum weighted by G_h / (G_h - 1) (JKn). The SD of a stratified bootstrap of the same rows stands
beside it, and the acceleration around each stratum's own mean.
"""

import json

import numpy as np

out = {"versions": {"numpy": np.__version__}}
rng = np.random.default_rng(20261123)


def domain(name, strata, touched):
    strata, touched = np.array(strata), np.array(touched)
    g = len(strata)
    inside = np.isin(np.arange(g), touched)
    n = np.where(inside, rng.integers(4, 12, g), 0)
    base = rng.binomial(n, 0.2 + 0.1 * (strata % 6))
    setting = rng.binomial(n, 0.8 - 0.1 * (strata % 6))

    def change(w):
        return w @ setting / (w @ n) - w @ base / (w @ n)

    def rate(w):
        return w @ base / (w @ n)

    found = {}
    for what, f in (("change", change), ("rate", rate)):
        variance, squares, cubes = 0.0, 0.0, 0.0
        for h in np.unique(strata[touched]):
            own = np.flatnonzero(strata == h)
            w = np.ones((len(own), g))
            w[:, own] = len(own) / (len(own) - 1)
            w[np.arange(len(own)), own] = 0
            values = f(w)
            variance += (len(own) - 1) / len(own) * ((values - values.mean()) ** 2).sum()
            d = (len(own) - 1) / len(own) * (values.mean() - values)
            squares, cubes = squares + (d**2).sum(), cubes + (d**3).sum()
        draws = np.zeros((20_000, g))
        for h in np.unique(strata):
            own = np.flatnonzero(strata == h)
            draws[:, own] = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), 20_000)
        found[what] = {
            "estimate": f(np.ones(g)), "se": np.sqrt(variance), "acceleration": cubes / (6 * squares**1.5),
            "bootstrap_sd": np.nanstd(f(draws)),
        }
    out[name] = {
        "strata": strata.tolist(), "touched": touched.tolist(), "n": n[touched].tolist(),
        "base": base[touched].tolist(), "setting": setting[touched].tolist(), **found,
    }


domain("thirty_percent_of_six_strata", np.arange(150) % 6, np.sort(rng.choice(150, 45, replace=False)))
domain("one_stratum_partly_one_whole", [0] * 12 + [1] * 8, list(range(5)) + list(range(12, 20)))
domain("one_stratum_touched_once", [0] * 10 + [1] * 10 + [2] * 9, [0, 2, 3, 7, 11, 12, 13, 18, 22])
print(json.dumps(out, indent=1, default=float))

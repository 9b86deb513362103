"""Reference figures of clustered logistic regression, the stratified jackknife, and contrasts of independent samples.

Run in this folder: python proof_values.py > proof_values.json
Logistic regression: statsmodels Logit with cov_type="cluster" without its small-sample factor, times G/(G-1).
Stratified jackknife (JKn) of ratios and paired differences: NumPy, by deleting rows and weighting the rest of a stratum.
"""

import json

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

out = {"versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__}}
rng = np.random.default_rng(20261122)


def logistic(name, clusters, sizes, slope, shared, scale=1.0, offset=0.0):
    cluster = np.repeat(np.arange(clusters), sizes)
    x = rng.normal(size=len(cluster)).round(3) * scale + offset
    eta = -1.0 + slope * (x - offset) / scale + shared * np.repeat(rng.normal(size=clusters), sizes)
    y = (rng.uniform(size=len(x)) < 1 / (1 + np.exp(-eta))).astype(int)
    # Fitted on the standardized scale, where statsmodels is accurate, and taken back.
    design = sm.add_constant((x - offset) / scale)
    kwds = {"groups": cluster, "use_correction": False}
    fit = sm.Logit(y, design).fit(method="newton", tol=1e-14, maxiter=200, disp=0, cov_type="cluster", cov_kwds=kwds)
    glm = sm.GLM(y, design, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200, cov_type="cluster", cov_kwds=kwds)
    g = len(np.unique(cluster))
    counts = np.bincount(cluster)
    assert abs(fit.params[1] - glm.params[1]) < 1e-9 * max(1, abs(fit.params[1]))
    assert abs(fit.bse[1] / glm.bse[1] - 1) < 1e-8
    out[name] = {
        "x": x.tolist(), "event": y.tolist(), "cluster": cluster.tolist(), "intercept": fit.params[0] - fit.params[1] * offset / scale,
        "slope": fit.params[1] / scale, "se": fit.bse[1] * np.sqrt(g / (g - 1)) / scale,
        "df": max(1.0, min(g - 1, len(x) ** 2 / (counts**2).sum() - 1)),
    }


logistic("logistic_templates", 25, rng.integers(4, 12, 25), 0.8, 0.7)
logistic("logistic_single", 80, np.ones(80, dtype=int), 0.5, 0.0)
logistic("logistic_far_from_zero", 20, np.full(20, 6), -0.6, 0.3, scale=0.01, offset=250.0)


def stratified(name, strata):
    strata = np.array(strata)
    g = len(strata)
    n = rng.integers(3, 15, g)
    base, setting = rng.binomial(n, 0.4 + 0.1 * strata), rng.binomial(n, 0.5 + 0.1 * strata)

    def f(w):
        return (w * setting).sum() / (w * n).sum() - (w * base).sum() / (w * n).sum()

    variance = 0.0
    for h in np.unique(strata):
        own = np.flatnonzero(strata == h)
        values = []
        for i in own:
            w = np.ones(g)
            w[own] *= len(own) / (len(own) - 1)
            w[i] = 0
            values.append(f(w))
        values = np.array(values)
        variance += (len(own) - 1) / len(own) * ((values - values.mean()) ** 2).sum()
    out[name] = {
        "strata": strata.tolist(), "n": n.tolist(), "base": base.tolist(), "setting": setting.tolist(),
        "estimate": f(np.ones(g)), "se": np.sqrt(variance),
    }


stratified("stratified_pairs", [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
stratified("stratified_uneven", [0] * 3 + [1] * 7 + [2] * 5)

# A linear contrast of three independent samples: variance and Satterthwaite degrees of freedom by hand.
samples = [rng.normal(m, s, k).round(3) for m, s, k in ((0.2, 1.0, 12), (0.5, 2.0, 9), (0.9, 1.5, 20))]
scores = np.array([-1.0, 0.0, 1.0]) / 2
means = np.array([x.mean() for x in samples])
v = np.array([x.var(ddof=1) / len(x) for x in samples])
k = np.array([len(x) for x in samples])
variance = (scores**2 * v).sum()
df = variance**2 / ((scores**2 * v) ** 2 / (k - 1)).sum()
out["linear"] = {
    "samples": [x.tolist() for x in samples], "scores": scores.tolist(), "difference": float(scores @ means),
    "se": np.sqrt(variance), "df": df, "p": 2 * stats.t.sf(abs(scores @ means) / np.sqrt(variance), df),
}
# With two samples and scores -1 and 1 it is Welch's test.
welch = stats.ttest_ind(samples[1], samples[0], equal_var=False)
out["linear_of_two"] = {"t": welch.statistic, "p": welch.pvalue, "df": welch.df}

print(json.dumps(out, indent=1, default=float))

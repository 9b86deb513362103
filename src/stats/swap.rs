//! Statistics of exchanged clusters, without going back to the clusters' rows.
//!
//! With `s_g = u_gq + u_g0`, `h_g = u_gq − u_g0` and `e_g = ±1` (−1: exchanged), exchanged totals are
//! `T*_q = (S + Σ e_g h_g)/2` and `T*_0 = (S − Σ e_g h_g)/2` with `S = Σ s_g` fixed. With `A = ∇f(T*_q) − ∇f(T*_0)` and
//! `B = ∇f(T*_q) + ∇f(T*_0)` the linearised residual of a cluster is `½(A·s_g + e_g B·h_g)`, so
//! `Σ z² = ¼(Aᵀ M_ss A + 2 Aᵀ C* B + Bᵀ M_hh B)`, where only `C* = Σ e_g s_g h_gᵀ` depends on the pattern. So a pattern
//! costs `p + p²` signed sums over changed clusters.

use super::cluster::{Cell, PairedTotals};
use super::functional::Functional;
use super::permutation::{BLOCK, Counts};
use super::signs::{Column, Lane};

/// Variance below this share of its terms is rounding, and taken as exactly 0.
const ROUNDING: f64 = 1e-12;

/// A cell and a metric, made ready for sign flips.
pub(crate) struct Swap<'a> {
    functional: &'a dyn Functional,
    p: usize,
    /// `S`.
    total: Vec<f64>,
    /// `M_ss` and `M_hh`, `p × p`.
    mss: Vec<f64>,
    mhh: Vec<f64>,
    /// Indices of changed clusters.
    clusters: Vec<u32>,
    /// Which of the `p + p²` sums are not always 0.
    active: Vec<usize>,
    /// Changed clusters × active.
    columns: Vec<f64>,
    /// The closed form for a mean over items that both settings share.
    mean: Option<Mean>,
    /// G/(G−1).
    correction: f64,
    studentized: bool,
}

impl<'a> Swap<'a> {
    /// Ready for studentized statistics where the metric is smooth.
    pub(crate) fn prepare(cell: &PairedTotals, functional: &'a dyn Functional) -> Self {
        let p = cell.p();
        let (mut total, mut mss, mut mhh) = (vec![0.0; p], vec![0.0; p * p], vec![0.0; p * p]);
        let (mut clusters, mut rows) = (Vec::new(), Vec::new());
        for i in 0..cell.clusters() {
            let sums: Vec<f64> = cell.setting(i).iter().zip(cell.base(i)).map(|(q, b)| q + b).collect();
            let differences: Vec<f64> = cell.setting(i).iter().zip(cell.base(i)).map(|(q, b)| q - b).collect();
            for j in 0..p {
                total[j] += sums[j];
                for k in 0..p {
                    mss[j * p + k] += sums[j] * sums[k];
                    mhh[j * p + k] += differences[j] * differences[k];
                }
            }
            if differences.iter().any(|d| *d != 0.0) {
                clusters.push(cell.cluster_indices()[i]);
                rows.extend_from_slice(&differences);
                rows.extend(sums.iter().flat_map(|s| differences.iter().map(move |d| s * d)));
            }
        }
        let width = p + p * p;
        let active: Vec<usize> =
            (0..width).filter(|k| rows.iter().skip(*k).step_by(width).any(|x| *x != 0.0)).collect();
        let columns = rows.chunks_exact(width).flat_map(|row| active.iter().map(|k| row[*k])).collect();
        let g = cell.clusters() as f64;
        let correction = if g > 1.0 { g / (g - 1.0) } else { 1.0 };
        let studentized = functional.smooth();
        let mean = None;
        let swap = Self { functional, p, total, mss, mhh, clusters, active, columns, mean, correction, studentized };
        swap.with_closed_form()
    }

    /// For `T0/T1` with equal `T1` in every cluster, two signed sums do: `Σ e D` and `Σ e D n`, with `D = h₀`, `n = s₁/2`.
    fn with_closed_form(mut self) -> Self {
        if !self.functional.is_ratio() || self.mhh[3] != 0.0 || self.total[1] <= 0.0 {
            return self;
        }
        let width = self.active.len();
        let at = |row: &[f64], k| self.active.iter().position(|a| *a == k).map_or(0.0, |i| row[i]);
        let columns = self.columns.chunks_exact(width.max(1)).flat_map(|row| [at(row, 0), at(row, 4) / 2.0]).collect();
        self.mean = Some(Mean { items: self.total[1] / 2.0, changes: self.mhh[0], squares: self.mss[3] / 4.0 });
        (self.columns, self.active) = (columns, if width == 0 { vec![] } else { vec![0, 1] });
        self
    }

    /// Falls back to the plain difference where the observed standard error is 0 or does not exist.
    pub(crate) fn studentized_where_possible(mut self) -> Self {
        if self.studentized && !self.observed().is_finite() {
            self.studentized = false;
        }
        self
    }

    pub(crate) fn studentized(&self) -> bool {
        self.studentized
    }

    /// The statistic of the data as they are, signed.
    pub(crate) fn observed(&self) -> f64 {
        let mut sums = vec![0.0; self.p + self.p * self.p];
        if self.active.is_empty() {
            return 0.0;
        }
        for row in self.columns.chunks_exact(self.active.len()) {
            for (k, x) in self.active.iter().zip(row) {
                sums[*k] += x;
            }
        }
        self.statistic(&sums, &mut vec![0.0; 4 * self.p])
    }

    /// How many signed sums it needs.
    pub(crate) fn width(&self) -> usize {
        self.active.len()
    }

    /// What is to be summed with signs, in the order in which [`Swap::statistics`] wants the sums.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        let width = self.active.len();
        (0..width).map(move |k| Column {
            clusters: self.clusters.clone(),
            values: self.columns.iter().skip(k).step_by(width).copied().collect(),
        })
    }

    /// Signed statistics of a block of draws from its signed sums.
    pub(crate) fn statistics(&self, lanes: &[Lane], out: &mut Lane) {
        if lanes.is_empty() {
            out.fill(0.0);
            return;
        }
        if let Some(mean) = self.mean.filter(|_| self.studentized) {
            for b in 0..BLOCK {
                out[b] = mean.statistic(lanes[0][b], lanes[1][b], self.correction);
            }
            return;
        }
        if self.functional.is_ratio() && self.studentized {
            let form = self.ratio();
            let mut all = [&[0.0; BLOCK]; 6];
            for (k, lane) in self.active.iter().zip(lanes) {
                all[*k] = lane;
            }
            let [h0, h1, c00, c01, c10, c11] = all;
            for b in 0..BLOCK {
                out[b] = form.statistic([h0[b], h1[b], c00[b], c01[b], c10[b], c11[b]]);
            }
            return;
        }
        let mut sums = vec![0.0; self.p + self.p * self.p];
        let mut scratch = vec![0.0; 4 * self.p];
        for (b, value) in out.iter_mut().enumerate() {
            for (k, lane) in self.active.iter().zip(lanes) {
                sums[*k] = lane[b];
            }
            *value = self.statistic(&sums, &mut scratch);
        }
    }

    /// Counts over all 2^G′ patterns. `|T*|` is the same for a pattern and its opposite, so the first cluster stays.
    pub(crate) fn enumerate(&self) -> Counts {
        let width = self.active.len();
        let rows: Vec<&[f64]> = self.columns.chunks_exact(width).collect();
        let (first, rest) = rows.split_at(rows.len() - rows.len() / 2);
        let head = patterns(&first[1..], first[0]);
        let tail = patterns(rest, &vec![0.0; width]);
        let observed = self.observed().abs();
        let mut counts = Counts::default();
        let mut lanes = vec![[0.0; BLOCK]; width];
        let mut out: Lane = [0.0; BLOCK];
        for a in &head {
            for tail in tail.chunks(BLOCK) {
                for (b, sums) in tail.iter().enumerate() {
                    for k in 0..width {
                        lanes[k][b] = a[k] + sums[k];
                    }
                }
                self.statistics(&lanes, &mut out);
                for value in &out[..tail.len()] {
                    counts.add(value.abs(), observed, 2);
                }
            }
        }
        counts
    }

    /// What the statistic of a ratio needs.
    fn ratio(&self) -> Quotient {
        let square = |m: &[f64]| [m[0], m[1], m[2], m[3]];
        let total = [self.total[0], self.total[1]];
        Quotient { total, mss: square(&self.mss), mhh: square(&self.mhh), correction: self.correction }
    }

    /// The signed statistic from the `p + p²` signed sums. NaN where the metric is undefined, ±∞ where SE\* is 0.
    fn statistic(&self, sums: &[f64], scratch: &mut [f64]) -> f64 {
        if let Some(mean) = self.mean {
            return if self.studentized {
                mean.statistic(sums[0], sums[1], self.correction)
            } else {
                sums[0] / mean.items
            };
        }
        if self.functional.is_ratio() && self.studentized {
            return self.ratio().statistic([sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]]);
        }
        let p = self.p;
        let (setting, rest) = scratch.split_at_mut(p);
        let (base, rest) = rest.split_at_mut(p);
        let (a, b) = rest.split_at_mut(p);
        for j in 0..p {
            setting[j] = 0.5 * (self.total[j] + sums[j]);
            base[j] = 0.5 * (self.total[j] - sums[j]);
        }
        let (Some(value), Some(value_base)) = (self.functional.value(setting), self.functional.value(base)) else {
            return f64::NAN;
        };
        let change = value - value_base;
        if !self.studentized {
            return change;
        }
        if !self.functional.gradient(setting, a) || !self.functional.gradient(base, b) {
            return f64::NAN;
        }
        for (x, y) in a.iter_mut().zip(b.iter_mut()) {
            (*x, *y) = (*x - *y, *x + *y);
        }
        let (mut ss, mut hh, mut sh) = (0.0, 0.0, 0.0);
        for j in 0..p {
            for k in 0..p {
                ss += a[j] * a[k] * self.mss[j * p + k];
                hh += b[j] * b[k] * self.mhh[j * p + k];
                sh += a[j] * b[k] * sums[p + j * p + k];
            }
        }
        let (form, scale) = (ss + 2.0 * sh + hh, ss.abs() + hh.abs());
        if form <= ROUNDING * scale {
            let negligible = ROUNDING * value.abs().max(value_base.abs());
            return if change.abs() <= negligible { 0.0 } else { f64::INFINITY.copysign(change) };
        }
        change / (0.25 * self.correction * form).sqrt()
    }
}

/// What the studentized statistic of `T0/T1` needs beside its signed sums.
#[derive(Debug, Clone, Copy)]
struct Quotient {
    total: [f64; 2],
    mss: [f64; 4],
    mhh: [f64; 4],
    correction: f64,
}

impl Quotient {
    /// The general form for `T0/T1`, without branches.
    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "without a branch")]
    fn statistic(&self, [h0, h1, c00, c01, c10, c11]: [f64; 6]) -> f64 {
        let [s0, s1] = [0.5 * (self.total[0] + h0), 0.5 * (self.total[1] + h1)];
        let [b0, b1] = [0.5 * (self.total[0] - h0), 0.5 * (self.total[1] - h1)];
        let (value, value_base) = (s0 / s1, b0 / b1);
        let change = value - value_base;
        let (u, v) = ([1.0 / s1, -value / s1], [1.0 / b1, -value_base / b1]);
        let (a, b) = ([u[0] - v[0], u[1] - v[1]], [u[0] + v[0], u[1] + v[1]]);
        let (ss, hh) = (form(a, a, self.mss), form(b, b, self.mhh));
        let whole = ss + 2.0 * form(a, b, [c00, c01, c10, c11]) + hh;
        let studentized = change / (0.25 * self.correction * whole).sqrt();
        let (size, size_base) = (value.abs(), value_base.abs());
        let larger = if size > size_base { size } else { size_base };
        let certain = if change.abs() <= ROUNDING * larger { 0.0 } else { f64::INFINITY.copysign(change) };
        let found = if whole > ROUNDING * (ss.abs() + hh.abs()) { studentized } else { certain };
        if (s1 > 0.0) & (b1 > 0.0) & (change.abs() < f64::INFINITY) { found } else { f64::NAN }
    }
}

/// `xᵀ M y`.
#[inline]
fn form(x: [f64; 2], y: [f64; 2], m: [f64; 4]) -> f64 {
    x[0] * y[0] * m[0] + x[0] * y[1] * m[1] + x[1] * y[0] * m[2] + x[1] * y[1] * m[3]
}

/// What the statistic of a mean needs beside `H = Σ e D` and `C = Σ e D n`.
#[derive(Debug, Clone, Copy)]
struct Mean {
    /// `N = Σ n`.
    items: f64,
    /// `Σ D²`.
    changes: f64,
    /// `Σ n²`.
    squares: f64,
}

impl Mean {
    /// `H / √(G/(G−1)·Σ(e D − δ n)²)` with `δ = H/N` and `Σ(e D − δ n)² = Σ D² − 2 δ C + δ² Σ n²`.
    #[inline]
    fn statistic(&self, h: f64, c: f64, correction: f64) -> f64 {
        let delta = h / self.items;
        let scale = self.changes + delta * delta * self.squares;
        let form = scale - 2.0 * delta * c;
        let studentized = h / (correction * form).sqrt();
        let negligible = h * h <= ROUNDING * ROUNDING * self.changes;
        let certain = if negligible { 0.0 } else { f64::INFINITY.copysign(h) };
        if form > ROUNDING * scale { studentized } else { certain }
    }
}

/// All signed sums of `rows` added to `start`, in binary order of the patterns.
fn patterns(rows: &[&[f64]], start: &[f64]) -> Vec<Vec<f64>> {
    let mut sums = vec![start.to_vec()];
    for row in rows {
        let turned: Vec<Vec<f64>> = sums.iter().map(|sum| sum.iter().zip(*row).map(|(s, x)| s - x).collect()).collect();
        for sum in &mut sums {
            for (s, x) in sum.iter_mut().zip(*row) {
                *s += x;
            }
        }
        sums.extend(turned);
    }
    sums
}

//! Sums of many columns under many resamples at once: rows of numbers, and counts of 64 replicates at a time.
//!
//! Clusters with equal rows of integers (of items that are their own clusters, most) are one class: their counts are added
//! before anything is multiplied. Every replicate adds in one fixed order, and integers exactly, so any number of threads and any
//! vector width give the same bits.
//!
//! Loops run over arrays whose length is known, by index: adapters of iterators are not always inlined across the parts
//! that a crate is compiled in, and here that costs half of the speed.
//!
//! Draws nothing, and knows nothing of metrics and intervals.

/// Replicates that are summed together.
pub(crate) const STRETCH: usize = 64;

/// Clusters or classes whose rows are added in one go.
const TOGETHER: usize = 8;

/// Clusters of a class whose counts (of one byte) are added in 16 bits.
const ADDED: usize = 256;

/// Counts of a stretch: one row per cluster of the design.
pub(crate) type Counts = [[u8; STRETCH]];

/// A row of numbers for every cluster that cells touch.
pub(crate) struct Rows {
    width: usize,
    units: Units,
    short: Option<Short>,
    long: Long,
}

/// What has a row.
enum Units {
    /// Each cluster.
    Clusters(Vec<u32>),
    /// Clusters with equal rows: all clusters, class by class, and where each class ends.
    Classes { clusters: Vec<u32>, ends: Vec<usize> },
}

/// Rows of integers of 0 or more, and a column of ones beside them, in 16 bits. Additions may wrap: what comes out is exact
/// where it is known to be below 2¹⁶.
struct Short {
    rows: Vec<[u16; TOGETHER]>,
    /// Clusters drawn up to which all sums are.
    most: u16,
}

/// Rows of any numbers. Integers whose weighted sums stay within 2²⁴ are exact in `f32`, at twice the speed.
enum Long {
    Single(Vec<[f32; TOGETHER]>),
    Double(Vec<[f64; TOGETHER]>),
}

/// Weighted sums of a block of replicates, column by column, in as few bytes as hold them exactly.
#[derive(Debug, Clone)]
pub(crate) enum Sums {
    Short(Vec<u16>),
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Memory that stretches use again.
#[derive(Default)]
pub(crate) struct Scratch {
    short: Vec<[u16; STRETCH]>,
    single: Vec<[f32; STRETCH]>,
    double: Vec<[f64; STRETCH]>,
}

impl Rows {
    /// Each of `columns` has a number for each of `own`, clusters of a design that has `clusters`.
    pub(crate) fn new(own: &[u32], mut columns: Vec<Vec<f64>>, clusters: usize) -> Self {
        let width = columns.len();
        let largest = columns.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
        let whole = columns.iter().flatten().all(|x| x.trunc() == *x);
        if !whole || largest * clusters as f64 > f64::from(1 << 24) {
            // Sums of such numbers depend on their order, which must not depend on the columns beside them.
            let all: Vec<usize> = (0..own.len()).collect();
            let long = Long::Double(together(&columns, &all, |x| x));
            return Self { width, units: Units::Clusters(own.to_vec()), short: None, long };
        }
        // A replicate draws as many clusters as there are; of those at hand hardly more than twice as many.
        let fits = u16::try_from(clusters).is_ok() && 2.0 * largest * own.len() as f64 <= f64::from(u16::MAX);
        let (units, picked) = Units::of(own, &columns);
        let long = Long::Single(together(&columns, &picked, |x| x as f32));
        let short = (fits && columns.iter().flatten().all(|x| *x >= 0.0)).then(|| {
            columns.push(vec![1.0; own.len()]);
            Short { rows: together(&columns, &picked, |x| x as u16), most: u16::MAX / (largest as u16).max(1) }
        });
        Self { width, units, short, long }
    }

    /// Room for the sums of `lanes` replicates, all 0.
    pub(crate) fn room(&self, lanes: usize) -> Sums {
        let n = self.width * lanes;
        match (&self.short, &self.long) {
            (Some(_), _) => Sums::Short(vec![0; n]),
            (None, Long::Single(_)) => Sums::Single(vec![0.0; n]),
            (None, Long::Double(_)) => Sums::Double(vec![0.0; n]),
        }
    }

    /// Bytes of the sums of one replicate.
    pub(crate) fn bytes(&self) -> usize {
        match self.room(1) {
            Sums::Short(sums) => size_of_val(&*sums),
            Sums::Single(sums) => size_of_val(&*sums),
            Sums::Double(sums) => size_of_val(&*sums),
        }
    }

    /// Weighted sums of every column in one stretch, into `sums` of `lanes` replicates, `from` lanes on.
    pub(crate) fn weigh(&self, counts: &Counts, lanes: usize, from: usize, scratch: &mut Scratch, sums: &mut Sums) {
        if let (Some(short), Sums::Short(out)) = (&self.short, &mut *sums) {
            self.add(counts, &short.rows, self.width + 1, &mut scratch.short);
            if scratch.short[self.width].iter().all(|drawn| *drawn <= short.most) {
                return write(&scratch.short[..self.width], lanes, from, out);
            }
            *sums = Sums::Single(out.iter().map(|x| f32::from(*x)).collect());
        }
        match (&self.long, sums) {
            (Long::Single(rows), Sums::Single(out)) => {
                self.add(counts, rows, self.width, &mut scratch.single);
                write(&scratch.single, lanes, from, out);
            }
            (Long::Double(rows), Sums::Double(out)) => {
                self.add(counts, rows, self.width, &mut scratch.double);
                write(&scratch.double, lanes, from, out);
            }
            _ => debug_assert!(false, "room was made for other rows"),
        }
    }

    fn add<T: Weighed>(&self, counts: &Counts, rows: &[[T; TOGETHER]], width: usize, sums: &mut Vec<[T; STRETCH]>) {
        sums.clear();
        sums.resize(width, [T::default(); STRETCH]);
        let mut weights = [[T::default(); STRETCH]; TOGETHER];
        for (i, rows) in rows.chunks_exact(width.max(1)).enumerate() {
            for (one, weights) in weights.iter_mut().enumerate() {
                self.units.counts(counts, TOGETHER * i + one, weights);
            }
            for k in 0..rows.len() {
                T::add(&rows[k], &weights, &mut sums[k]);
            }
        }
    }
}

impl Sums {
    /// All of them as `f64`.
    pub(crate) fn widen(&self, out: &mut Vec<f64>) {
        out.clear();
        match self {
            Self::Short(sums) => out.extend(sums.iter().map(|x| f64::from(*x))),
            Self::Single(sums) => out.extend(sums.iter().map(|x| f64::from(*x))),
            Self::Double(sums) => out.extend_from_slice(sums),
        }
    }
}

fn write<T: Copy>(sums: &[[T; STRETCH]], lanes: usize, from: usize, out: &mut [T]) {
    for k in 0..sums.len() {
        if let Some(out) = out[k * lanes + from..].first_chunk_mut::<STRETCH>() {
            *out = sums[k];
        }
    }
}

impl Units {
    /// The units of `clusters`, which have a number each in every column, and where each has its row.
    fn of(clusters: &[u32], columns: &[Vec<f64>]) -> (Self, Vec<usize>) {
        let apart = || (Self::Clusters(clusters.to_vec()), (0..clusters.len()).collect());
        // Rows are told apart by a number made from theirs.
        let mut mixed: Vec<(u64, usize)> = (0..clusters.len()).map(|i| (0, i)).collect();
        for column in columns {
            for i in 0..clusters.len() {
                mixed[i].0 = (mixed[i].0.rotate_left(5) ^ column[i].to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            }
        }
        mixed.sort_unstable();
        let classes: Vec<&[(u64, usize)]> = mixed.chunk_by(|a, b| a.0 == b.0).collect();
        if 3 * classes.len() > clusters.len() {
            return apart();
        }
        let alike = |column: &Vec<f64>, class: &[(u64, usize)]| {
            class.iter().all(|(_, i)| column[*i].to_bits() == column[class[0].1].to_bits())
        };
        if !columns.iter().all(|column| classes.iter().all(|class| alike(column, class))) {
            return apart();
        }
        let mut end = 0;
        let ends = classes.iter().map(|class| {
            end += class.len();
            end
        });
        let units = Self::Classes { ends: ends.collect(), clusters: mixed.iter().map(|(_, i)| clusters[*i]).collect() };
        let picked = classes.iter().map(|class| class[0].1).collect();
        (units, picked)
    }

    /// How often each replicate draws the `i`-th unit; nothing is written beyond the last.
    #[inline]
    fn counts<T: Weighed>(&self, counts: &Counts, i: usize, out: &mut [T; STRETCH]) {
        match self {
            Self::Clusters(clusters) => {
                if let Some(cluster) = clusters.get(i) {
                    T::widen(&counts[*cluster as usize], out);
                }
            }
            Self::Classes { clusters, ends } => {
                if let Some(end) = ends.get(i) {
                    let from = if i == 0 { 0 } else { ends[i - 1] };
                    T::widen_sums(&sum_of(counts, &clusters[from..*end]), out);
                }
            }
        }
    }
}

/// Counts of a class.
#[inline]
fn sum_of(counts: &Counts, clusters: &[u32]) -> [u32; STRETCH] {
    let mut all = [0_u32; STRETCH];
    for clusters in clusters.chunks(ADDED) {
        let mut part = [0_u16; STRETCH];
        for cluster in clusters {
            let counts = &counts[*cluster as usize];
            for lane in 0..STRETCH {
                part[lane] += u16::from(counts[lane]);
            }
        }
        for lane in 0..STRETCH {
            all[lane] += u32::from(part[lane]);
        }
    }
    all
}

/// A number that weights are multiplied with.
trait Weighed: Copy + Default {
    /// Adds `x` times `counts`, cluster after cluster, to `sums`.
    fn add(x: &[Self; TOGETHER], counts: &[[Self; STRETCH]; TOGETHER], sums: &mut [Self; STRETCH]);

    /// The counts of a cluster as numbers.
    fn widen(counts: &[u8; STRETCH], out: &mut [Self; STRETCH]);

    /// The counts of a class as numbers.
    fn widen_sums(counts: &[u32; STRETCH], out: &mut [Self; STRETCH]);
}

macro_rules! weighed {
    ($number:ty, $nothing:expr, $plus:expr, $times:expr, $from:expr) => {
        impl Weighed for $number {
            #[inline]
            fn add(x: &[Self; TOGETHER], counts: &[[Self; STRETCH]; TOGETHER], sums: &mut [Self; STRETCH]) {
                let ([x0, x1, x2, x3, x4, x5, x6, x7], [c0, c1, c2, c3, c4, c5, c6, c7]) = (*x, counts);
                if $nothing(x) {
                    return;
                }
                for lane in 0..STRETCH {
                    let mut sum = $plus(sums[lane], $times(x0, c0[lane]));
                    sum = $plus(sum, $times(x1, c1[lane]));
                    sum = $plus(sum, $times(x2, c2[lane]));
                    sum = $plus(sum, $times(x3, c3[lane]));
                    sum = $plus(sum, $times(x4, c4[lane]));
                    sum = $plus(sum, $times(x5, c5[lane]));
                    sum = $plus(sum, $times(x6, c6[lane]));
                    sums[lane] = $plus(sum, $times(x7, c7[lane]));
                }
            }

            #[inline]
            fn widen(counts: &[u8; STRETCH], out: &mut [Self; STRETCH]) {
                for lane in 0..STRETCH {
                    out[lane] = Self::from(counts[lane]);
                }
            }

            #[inline]
            fn widen_sums(counts: &[u32; STRETCH], out: &mut [Self; STRETCH]) {
                for lane in 0..STRETCH {
                    out[lane] = $from(counts[lane]);
                }
            }
        }
    };
}
// Zeros add nothing; in 16 bits they are added faster than they are found.
weighed!(u16, |_| false, u16::wrapping_add, u16::wrapping_mul, |n: u32| n as u16);
weighed!(f32, |x: &[f32]| x.iter().all(|x| *x == 0.0), |a: f32, b: f32| a + b, |a: f32, b: f32| a * b, |n: u32| n
    as f32);
weighed!(f64, |x: &[f64]| x.iter().all(|x| *x == 0.0), |a: f64, b: f64| a + b, |a: f64, b: f64| a * b, |n: u32| {
    f64::from(n)
});

/// Rows of the units that have them at `picked` in groups of [`TOGETHER`], column by column, the last filled up with zeros.
fn together<T: Weighed>(columns: &[Vec<f64>], picked: &[usize], number: fn(f64) -> T) -> Vec<[T; TOGETHER]> {
    let mut turned = Vec::with_capacity(columns.len() * picked.len().div_ceil(TOGETHER));
    for picked in picked.chunks(TOGETHER) {
        for column in columns {
            let mut one = [T::default(); TOGETHER];
            for i in 0..picked.len() {
                one[i] = number(column[picked[i]]);
            }
            turned.push(one);
        }
    }
    turned
}

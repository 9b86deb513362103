//! Long tables and files of totals: results of any tool, one row per item and setting, or already added up.
//!
//! [`read`] takes a table with columns for item, cluster, subgroup, setting, and values, [`totals::read`] one of sums
//! that a database made; both end in [`sums::Sums`], from which the analysis goes on as from records.
//!
//! Refuses to guess: a column that is missing, a value that is no number, an item that occurs twice under one setting or
//! lies in two clusters are errors that name the place.

mod add;
mod columns;
mod dense;
mod described;
mod names;
mod stream;
pub mod sums;
pub mod totals;

use crate::findings::Worse;
use std::path::{Path, PathBuf};
use sums::Tabled;

/// The SQL that makes a file of totals from a long table, with its schema in the comments.
pub const TOTALS_SQL: &str = include_str!("../../templates/totals.sql");

/// Rows above which a table is added up while it is read, and single items are not kept.
pub const STREAM_ROWS: u64 = 20_000_000;

/// Margin of a metric where none is declared. Policy, not statistics: two points.
const DEFAULT_MARGIN: f64 = 0.02;

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Reading failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a table.
    #[error(
        "{path} cannot be read as a table: {why}\nhelp: give a Parquet file, or a CSV file with a header, ending in .parquet or .csv"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reader's words.
        why: String,
    },
    /// A file of totals that was already added.
    #[error("{second} holds the same bytes as {first}, whose totals would be added twice\nhelp: name each part once")]
    Twice {
        /// The file.
        first: PathBuf,
        /// The same again.
        second: PathBuf,
    },
    /// A column is missing.
    #[error("{path} has no column {column:?}; it has {known}")]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// Column asked for.
        column: String,
        /// Columns that are there.
        known: String,
    },
    /// A column has a type that cannot be used.
    #[error("{path}: column {column:?} holds {found}, and {wanted} are needed")]
    Type {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What would do.
        wanted: &'static str,
    },
    /// A value that cannot be used.
    #[error("{path}, row {row}, column {column:?}: {what}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Row, counted from 1 without the header.
        row: u64,
        /// The column.
        column: String,
        /// What is wrong.
        what: &'static str,
    },
    /// An item occurs twice.
    #[error(
        "item {item:?} occurs twice under setting {setting:?}\nhelp: keep one row per item and setting, or name repetitions as items of one cluster"
    )]
    Duplicate {
        /// The item.
        item: String,
        /// The setting.
        setting: String,
    },
    /// An item has two clusters, strata, or subgroups.
    #[error("item {item:?} lies in {column} {first:?} and in {second:?}")]
    Moved {
        /// The item.
        item: String,
        /// Which column.
        column: String,
        /// First found.
        first: String,
        /// Found later.
        second: String,
    },
    /// A cluster has two strata.
    #[error(
        "cluster {cluster:?} lies in stratum {first:?} and in {second:?}\nhelp: a stratum is a part of the sample whose number of clusters was fixed by design: each cluster lies in one; map the column as a subgroup if its items differ"
    )]
    TwoStrata {
        /// The cluster.
        cluster: String,
        /// First found.
        first: String,
        /// Found later.
        second: String,
    },
    /// A cluster has no stratum where others have one.
    #[error(
        "cluster {cluster:?} has no stratum, and others have one\nhelp: name the stratum of every cluster, or of none"
    )]
    NoStratum {
        /// The cluster.
        cluster: String,
    },
    /// Only one setting.
    #[error(
        "there is only one setting, {0:?}, and so there is nothing to compare\nhelp: give the answers under the baseline and under another setting together, as rows of one table or as several files"
    )]
    OneSetting(String),
    /// No such setting.
    #[error("there is no setting {asked:?}; the settings are {known}\nhelp: name the baseline with --baseline")]
    Baseline {
        /// Asked for.
        asked: String,
        /// Settings found.
        known: String,
    },
    /// The metrics of a file of totals have no leader.
    #[error("there is no metric {asked:?} to lead; the metrics are {known}\nhelp: name one with --headline")]
    Headline {
        /// Asked for.
        asked: String,
        /// Metrics found.
        known: String,
    },
    /// Nothing to analyse.
    #[error("{0}")]
    Empty(&'static str),
    /// Settings with unequal items, seen while streaming.
    #[error(
        "cluster {cluster:?} has {first} values of {metric} under {baseline:?} and {second} under {setting:?}; a table that is added up while it is read must be complete\nhelp: use --in-memory, which pairs single items, or fill the gaps"
    )]
    Incomplete {
        /// Cluster.
        cluster: String,
        /// Metric.
        metric: String,
        /// The baseline.
        baseline: String,
        /// Its values.
        first: u64,
        /// The other setting.
        setting: String,
        /// Its values.
        second: u64,
    },
    /// Settings with other items, seen while streaming.
    #[error(
        "cluster {cluster:?} has other items under {setting:?} than under {baseline:?}, though as many of them{among}; a table that is added up while it is read pairs whole clusters, so every item must have a value under every setting\nhelp: leave out --stream or use --in-memory, which pairs single items, or add the rows that are absent"
    )]
    OtherItems {
        /// Cluster.
        cluster: String,
        /// The baseline.
        baseline: String,
        /// The other setting.
        setting: String,
        /// The subgroup, as ` of axis "name"`; nothing where all items are meant.
        among: String,
    },
    /// An item without a value, seen while streaming.
    #[error(
        "an item of cluster {cluster:?} has no value of {metric} under {setting:?}; a table that is added up while it is read pairs whole clusters, so every item must have a value under every setting\nhelp: leave out --stream or use --in-memory, which pairs single items, or drop the item's rows under all settings"
    )]
    Gap {
        /// Cluster.
        cluster: String,
        /// Metric.
        metric: String,
        /// Setting.
        setting: String,
    },
    /// Totals of pairs that do not fit those of single settings.
    #[error(
        "{cell}, cluster {cluster:?}: the paired rows of {setting:?} count {paired} items, and the rows of {single:?} alone {items}\nhelp: every pair is an item of both settings; make both kinds of rows from the same answers, as in `quantbias analyze --totals-sql`"
    )]
    MorePairs {
        /// Metric and subgroup, in words.
        cell: String,
        /// Cluster.
        cluster: String,
        /// The setting that is paired.
        setting: String,
        /// Its pairs.
        paired: u64,
        /// The setting with fewer items: this one or the baseline.
        single: String,
        /// Its items.
        items: u64,
    },
    /// Totals that break an invariant.
    #[error("metric {metric}, subgroup {subgroup}: {source}")]
    Totals {
        /// Metric.
        metric: String,
        /// Subgroup.
        subgroup: String,
        /// What is wrong.
        source: crate::stats::cluster::TotalsError,
    },
}

/// How a metric comes from value columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricSpec {
    /// Mean of a column over items.
    Mean(String),
    /// Sum of one column over the sum of another.
    Ratio {
        /// Numerator.
        numerator: String,
        /// Denominator.
        denominator: String,
    },
}

impl MetricSpec {
    /// Id in findings: the column, or `a_per_b`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Mean(column) => column.clone(),
            Self::Ratio { numerator, denominator } => format!("{numerator}_per_{denominator}"),
        }
    }

    fn columns(&self) -> impl Iterator<Item = &String> {
        let (a, b) = match self {
            Self::Mean(column) => (column, None),
            Self::Ratio { numerator, denominator } => (numerator, Some(denominator)),
        };
        std::iter::once(a).chain(b)
    }
}

/// Which columns mean what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// Column of item ids, by which settings are paired. Without, every row is an item of its own, and settings are
    /// compared as two samples.
    pub item: Option<String>,
    /// Column of clusters; items are their own clusters where absent.
    pub cluster: Option<String>,
    /// Columns of subgroups; each column is an axis of that name.
    pub subgroups: Vec<String>,
    /// Column of strata.
    pub stratum: Option<String>,
    /// Column of settings.
    pub setting: String,
}

/// Names and policy that the tables themselves do not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name of the analysis and of its benchmark.
    pub name: String,
    /// The setting that others are held against; absent: `baseline`, or the only one that totals are paired with.
    pub baseline: Option<String>,
    /// Which change is worse.
    pub worse: Worse,
    /// The metric that the gate reads; absent: the first.
    pub headline: Option<String>,
}

/// Whether single items are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Up to [`STREAM_ROWS`].
    Automatic,
    /// Always: pairs items exactly, needs about 8 bytes per row and value column.
    InMemory,
    /// Never: memory grows with clusters, not with rows.
    Streaming,
}

/// Reads long tables and adds them up.
///
/// # Errors
/// [`TableError`].
pub fn read(
    files: &[PathBuf],
    map: &Map,
    metrics: &[MetricSpec],
    about: &About,
    mode: Mode,
) -> Result<Tabled, TableError> {
    if metrics.is_empty() {
        return Err(TableError::Empty("no metric: name value columns with --map value=… or --metric"));
    }
    let tables = columns::Tables::open(files, map, metrics)?;
    let streaming = match mode {
        // Without ids there is nothing to pair, and cluster counts that agree would be taken for pairs.
        Mode::Streaming if map.item.is_none() => {
            return Err(TableError::Empty(
                "a table without item ids cannot be added up while it is read: name item=COLUMN, or leave out --stream",
            ));
        }
        Mode::Automatic => map.item.is_some() && tables.rows() > STREAM_ROWS,
        Mode::InMemory => false,
        Mode::Streaming => true,
    };
    let (found, hashes) = rayon::join(
        || {
            if streaming {
                stream::read(&tables.with_items_hashed(), metrics, about)
            } else {
                dense::read(&tables, metrics, about)
            }
        },
        || files.iter().map(|file| hash(file)).collect::<Result<Vec<_>, _>>(),
    );
    Ok(described::describe(found?, about, Some(map), hashes?, streaming))
}

/// File name and SHA-256.
fn hash(path: &Path) -> Result<(String, String), TableError> {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let io = |source| TableError::Io { path: path.to_owned(), source };
    let sha256 = crate::fixity::sha256_of(std::fs::File::open(path).map_err(io)?).map_err(io)?;
    Ok((name, sha256))
}

/// `asked`, or the setting called `baseline`.
fn baseline<'a>(asked: Option<&str>, settings: impl Iterator<Item = &'a str> + Clone) -> Result<String, TableError> {
    let mut others = settings.clone();
    if let (Some(only), None) = (others.next(), others.next()) {
        return Err(TableError::OneSetting(only.to_owned()));
    }
    let wanted = asked.unwrap_or("baseline");
    if settings.clone().any(|s| s == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut known: Vec<String> = settings.map(|s| format!("{s:?}")).collect();
    known.sort();
    Err(TableError::Baseline { asked: wanted.to_owned(), known: known.join(", ") })
}

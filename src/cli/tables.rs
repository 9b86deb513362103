//! Arguments of `quantbias analyze` that describe a long table or files of totals.

use crate::findings::Worse;
use crate::pipeline::Failure;
use crate::spec::Plan;
use crate::table::sums::Tabled;
use crate::table::{self, About, Map, MetricSpec, Mode, totals};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A table instead of a run.
#[derive(Debug, Args)]
pub(super) struct Tables {
    /// Long tables (Parquet, or CSV with a header): one row per item and setting.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "map", conflicts_with = "totals")]
    table: Vec<PathBuf>,
    /// Which columns mean what: item, setting, and, where there are any, cluster, subgroup (each is an axis), stratum,
    /// value (each is a metric, its mean). Without item, settings cannot be paired and are compared as two samples.
    #[arg(long, value_name = "ROLE=COLUMN,…", value_parser = mapping)]
    map: Option<Mapping>,
    /// A metric: `COLUMN` or `mean:COLUMN` for the mean of a column, `ratio:NUM/DEN` for the ratio of two sums. The
    /// first one leads.
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    metric: Vec<MetricSpec>,
    /// Files of totals (see --totals-sql), which are added up.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    totals: Vec<PathBuf>,
    /// Print the SQL that makes totals from a long table in a database, with their schema.
    #[arg(long)]
    pub(super) totals_sql: bool,
    /// The setting that the others are held against.
    #[arg(long, value_name = "SETTING")]
    baseline: Option<String>,
    /// Name of the analysis; default: the first file's name.
    #[arg(long)]
    name: Option<String>,
    /// The metric that leads and that the gate reads.
    #[arg(long, value_name = "METRIC")]
    headline: Option<String>,
    /// Margin of the headline metric, in its units.
    #[arg(long)]
    margin: Option<f64>,
    /// Which change of a metric is worse.
    #[arg(long, value_enum, default_value = "either")]
    worse: Direction,
    /// Add the table up while it is read, in bounded memory: for complete tables. Automatic above 20 million rows.
    #[arg(long, conflicts_with = "in_memory")]
    stream: bool,
    /// Keep single items however large the table is.
    #[arg(long)]
    in_memory: bool,
}

/// A direction on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    Increase,
    Decrease,
    Either,
}

#[derive(Debug, Clone)]
struct Mapping {
    map: Map,
    values: Vec<String>,
}

fn mapping(text: &str) -> Result<Mapping, String> {
    let mut found = Mapping { map: Map::default(), values: Vec::new() };
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (role, column) = part.split_once('=').ok_or(format!("`{part}` is no ROLE=COLUMN"))?;
        let column = column.trim().to_owned();
        match role.trim() {
            "item" => found.map.item = Some(column),
            "setting" => found.map.setting = column,
            "cluster" => found.map.cluster = Some(column),
            "stratum" => found.map.stratum = Some(column),
            "subgroup" => found.map.subgroups.push(column),
            "value" => found.values.push(column),
            other => return Err(format!("`{other}` is no role: item, setting, cluster, stratum, subgroup, value")),
        }
    }
    if found.map.setting.is_empty() {
        return Err("setting=COLUMN is needed, and item=COLUMN to pair settings".to_owned());
    }
    Ok(found)
}

fn metric(text: &str) -> Result<MetricSpec, String> {
    match text.split_once(':') {
        Some(("ratio", columns)) => {
            let (numerator, denominator) = columns.split_once('/').ok_or("a ratio is ratio:NUM/DEN")?;
            Ok(MetricSpec::Ratio { numerator: numerator.to_owned(), denominator: denominator.to_owned() })
        }
        Some(("mean", column)) => Ok(MetricSpec::Mean(column.to_owned())),
        _ => Ok(MetricSpec::Mean(text.to_owned())),
    }
}

impl Tables {
    /// Whether no table and no totals are named.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty() && self.totals.is_empty()
    }

    /// Reads what was given.
    pub(super) fn read(&self) -> Result<Tabled, Failure> {
        let about = self.about();
        let Some(Mapping { map, values }) = self.map.as_ref().filter(|_| !self.table.is_empty()) else {
            return Ok(totals::read(&self.totals, &about)?);
        };
        let mut metrics: Vec<MetricSpec> = Vec::new();
        for spec in self.metric.iter().cloned().chain(values.iter().cloned().map(MetricSpec::Mean)) {
            // `--metric mean` says what is done with the mapped columns anyway.
            if spec != MetricSpec::Mean("mean".to_owned()) && !metrics.contains(&spec) {
                metrics.push(spec);
            }
        }
        let mode = match (self.stream, self.in_memory) {
            (true, _) => Mode::Streaming,
            (_, true) => Mode::InMemory,
            _ => Mode::Automatic,
        };
        Ok(table::read(&self.table, map, &metrics, &about, mode)?)
    }

    /// The plan with the margin of the command line.
    pub(super) fn plan(&self, mut plan: Plan) -> Plan {
        if let Some(margin) = self.margin {
            plan.margins.insert(self.about().name, margin);
        }
        plan
    }

    fn about(&self) -> About {
        let first = self.table.first().or(self.totals.first());
        let stem = first.and_then(|f| f.file_stem()).map_or("table".into(), |s| s.to_string_lossy());
        About {
            name: self.name.clone().unwrap_or_else(|| stem.into_owned()),
            baseline: self.baseline.clone(),
            worse: match self.worse {
                Direction::Increase => Worse::Increase,
                Direction::Decrease => Worse::Decrease,
                Direction::Either => Worse::Either,
            },
            headline: self.headline.clone(),
        }
    }
}

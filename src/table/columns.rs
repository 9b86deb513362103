//! Tables on disk, a stretch of rows at a time.

use super::names::{Coder, Hashes, Names};
use super::{Map, MetricSpec, TableError};
use polars::prelude::*;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Rows that are held at a time.
const STRETCH: usize = 3 << 19;

/// Stands for the column of ids where there is none: every row has a name of its own.
pub(super) const EVERY_ROW: &str = "";

/// Tables with the columns that are wanted.
pub(super) struct Tables {
    files: Vec<(PathBuf, u64)>,
    keys: Vec<Key>,
    pub(super) values: Vec<String>,
}

/// A column of names.
pub(super) struct Key {
    pub(super) column: String,
    pub(super) role: Role,
    /// Whether names are hashed and not kept.
    hashed: bool,
}

/// What a column of names means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Item,
    Setting,
    Cluster,
    Stratum,
    Axis,
}

/// Rows with their names as codes.
pub(super) struct Chunk {
    /// One list per key, in the order of [`Tables::keys`]; empty for one that is hashed.
    pub(super) keys: Vec<Vec<u32>>,
    /// Hashes of item ids, where they are hashed.
    pub(super) items: Vec<u64>,
    /// One list per value column; NaN where there is none.
    pub(super) values: Vec<Vec<f64>>,
}

/// Rows as they were read.
struct Stretch<'a> {
    path: &'a Path,
    row: u64,
    frame: DataFrame,
}

type Sender<'a> = SyncSender<Result<Stretch<'a>, TableError>>;

/// Takes a stretch of rows with the names seen so far.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[Names], Chunk) -> Result<(), TableError>;

impl Tables {
    /// Looks the columns up.
    pub(super) fn open(files: &[PathBuf], map: &Map, metrics: &[MetricSpec]) -> Result<Self, TableError> {
        let rows = String::from(EVERY_ROW);
        let item = map.item.as_ref().unwrap_or(&rows);
        let mut keys = vec![(item, Role::Item), (&map.setting, Role::Setting)];
        keys.push((map.cluster.as_ref().unwrap_or(item), Role::Cluster));
        keys.extend(map.stratum.iter().map(|s| (s, Role::Stratum)));
        keys.extend(map.subgroups.iter().map(|s| (s, Role::Axis)));
        let keys = keys.into_iter().map(|(column, role)| Key { column: column.clone(), role, hashed: false }).collect();
        let mut values: Vec<String> = Vec::new();
        for column in metrics.iter().flat_map(MetricSpec::columns) {
            if !values.contains(column) {
                values.push(column.clone());
            }
        }
        let mut tables = Self { files: Vec::new(), keys, values };
        for path in files {
            let (known, rows) = header(path)?;
            let named = tables.keys.iter().map(|k| &k.column).filter(|c| *c != EVERY_ROW);
            for column in named.chain(&tables.values) {
                if !known.contains(column) {
                    let (path, column) = (path.clone(), column.clone());
                    return Err(TableError::NoColumn { path, column, known: known.join(", ") });
                }
            }
            tables.files.push((path.clone(), rows));
        }
        Ok(tables)
    }

    /// Rows of all files; of a CSV file an estimate from its size.
    pub(super) fn rows(&self) -> u64 {
        self.files.iter().map(|(_, rows)| rows).sum()
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The same with hashes of item ids instead of a list of them, which would grow with the rows.
    pub(super) fn with_items_hashed(mut self) -> Self {
        for key in &mut self.keys {
            key.hashed = key.role == Role::Item;
        }
        self
    }

    /// Reads everything, stretch by stretch, and hands each on with the names seen so far. The next stretch is read
    /// meanwhile.
    pub(super) fn each(&self, names: &mut [Names], take: Take<'_>) -> Result<(), TableError> {
        let keys = self.keys.iter().map(|k| &k.column);
        let mut wanted: Vec<String> = keys.chain(&self.values).filter(|c| *c != EVERY_ROW).cloned().collect();
        wanted.sort();
        wanted.dedup();
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(1);
            let wanted = &wanted;
            scope.spawn(move || {
                if let Err(error) = self.read(wanted, &send) {
                    drop(send.send(Err(error)));
                }
            });
            for stretch in receive {
                let Stretch { path, row, frame } = stretch?;
                let chunk = self.decode(path, row, &frame, names)?;
                drop(frame);
                take(names, chunk)?;
            }
            Ok(())
        })
    }

    /// Reads every file and sends its stretches on.
    fn read<'a>(&'a self, wanted: &[String], send: &Sender<'a>) -> Result<(), TableError> {
        let is_name = |column: &str| self.keys.iter().any(|k| k.column == column);
        for (path, _) in &self.files {
            let mut row = 0;
            stretches(path, wanted, &is_name, &mut |frame| {
                let height = frame.height() as u64;
                // Nobody listens any more where what was read is already known to be wrong.
                let given_up = |_| TableError::Empty("reading was given up");
                send.send(Ok(Stretch { path, row, frame })).map_err(given_up)?;
                row += height;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn decode(&self, path: &Path, row: u64, frame: &DataFrame, names: &mut [Names]) -> Result<Chunk, TableError> {
        let place = Place { path, row };
        let code = |(key, names): (&Key, &mut Names)| {
            if key.hashed { Ok(Vec::new()) } else { codes(&place, frame, key, names) }
        };
        let hash = |key: &Key| codes(&place, frame, key, &mut Hashes);
        let (keys, (items, values)) = rayon::join(
            || self.keys.par_iter().zip(names).map(code).collect::<Result<Vec<_>, _>>(),
            || {
                rayon::join(
                    || self.keys.iter().find(|k| k.hashed).map_or_else(|| Ok(Vec::new()), hash),
                    || self.values.par_iter().map(|column| numbers(&place, frame, column)).collect::<Result<_, _>>(),
                )
            },
        );
        Ok(Chunk { keys: keys?, items: items?, values: values? })
    }
}

/// Where a stretch begins.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) row: u64,
}

impl Place<'_> {
    fn malformed(&self, error: &PolarsError) -> TableError {
        malformed(self.path, error)
    }

    pub(super) fn value(&self, row: usize, column: &str, what: &'static str) -> TableError {
        TableError::Value {
            path: self.path.to_owned(),
            row: self.row + row as u64 + 1,
            column: column.to_owned(),
            what,
        }
    }

    /// A column of texts, absent where empty.
    pub(super) fn names(&self, frame: &DataFrame, column: &str) -> Result<Vec<Option<String>>, TableError> {
        let series = frame.column(column).map_err(|e| self.malformed(&e))?.as_materialized_series();
        let text = series.cast(&DataType::String).map_err(|e| self.malformed(&e))?;
        let names = text.str().map_err(|e| self.malformed(&e))?.iter().map(|t| t.map(str::to_owned)).collect();
        Ok(names)
    }

    fn wrong_type(&self, column: &str, found: &DataType, wanted: &'static str) -> TableError {
        let (path, column) = (self.path.to_owned(), column.to_owned());
        TableError::Type { path, column, found: found.to_string(), wanted }
    }
}

fn malformed(path: &Path, error: &PolarsError) -> TableError {
    TableError::Malformed { path: path.to_owned(), why: error.to_string() }
}

fn codes<C: Coder>(place: &Place<'_>, frame: &DataFrame, key: &Key, names: &mut C) -> Result<Vec<C::Code>, TableError> {
    if key.column == EVERY_ROW {
        return Ok((0..frame.height()).map(|_| names.fresh()).collect());
    }
    let series = frame.column(&key.column).map_err(|e| place.malformed(&e))?.as_materialized_series();
    let missing = |row| place.value(row, &key.column, "a name is missing");
    let mut codes = Vec::with_capacity(series.len());
    let optional = key.role == Role::Axis;
    if let DataType::Categorical(_, mapping) | DataType::Enum(_, mapping) = series.dtype() {
        let ids = series.to_physical_repr().cast(&DataType::UInt32).map_err(|e| place.malformed(&e))?;
        let ids = ids.u32().map_err(|e| place.malformed(&e))?;
        let mut known = vec![None; mapping.num_cats_upper_bound()];
        for (row, id) in ids.iter().enumerate() {
            let text = |id| mapping.cat_to_str(id);
            codes.push(match id.map(|id| (id, known.get(id as usize).copied().flatten())) {
                Some((_, Some(code))) => code,
                Some((id, _)) => {
                    let code = names.text(text(id).ok_or_else(|| missing(row))?);
                    if let Some(known) = known.get_mut(id as usize) {
                        *known = Some(code);
                    }
                    code
                }
                None if optional => C::NONE,
                None => return Err(missing(row)),
            });
        }
        return Ok(codes);
    }
    if series.dtype().is_integer() {
        let numbers = series.cast(&DataType::Int64).map_err(|e| place.malformed(&e))?;
        for (row, number) in numbers.i64().map_err(|e| place.malformed(&e))?.iter().enumerate() {
            codes.push(match number {
                Some(number) => names.number(number),
                None if optional => C::NONE,
                None => return Err(missing(row)),
            });
        }
        return Ok(codes);
    }
    if !matches!(series.dtype(), DataType::String | DataType::Boolean) && !series.dtype().is_nested() {
        let text = series
            .cast(&DataType::String)
            .map_err(|_| place.wrong_type(&key.column, series.dtype(), "names (text or integers)"))?;
        if series.dtype().is_float() {
            return Err(place.wrong_type(&key.column, series.dtype(), "names (text or integers)"));
        }
        return texts(&text, names, optional, &missing).map_err(|e| e.unwrap_or_else(|e| place.malformed(&e)));
    }
    if series.dtype() == &DataType::String {
        return texts(series, names, optional, &missing).map_err(|e| e.unwrap_or_else(|e| place.malformed(&e)));
    }
    Err(place.wrong_type(&key.column, series.dtype(), "names (text or integers)"))
}

/// Codes of texts; neighbours are often the same.
fn texts<C: Coder>(
    series: &Series,
    names: &mut C,
    optional: bool,
    missing: &dyn Fn(usize) -> TableError,
) -> Result<Vec<C::Code>, Result<TableError, PolarsError>> {
    let mut codes = Vec::with_capacity(series.len());
    let mut last: Option<(&str, C::Code)> = None;
    for (row, text) in series.str().map_err(Err)?.iter().enumerate() {
        codes.push(match (text, last) {
            (Some(text), Some((same, code))) if text == same => code,
            (Some(text), _) => {
                let code = names.text(text);
                last = Some((text, code));
                code
            }
            (None, _) if optional => C::NONE,
            (None, _) => return Err(Ok(missing(row))),
        });
    }
    Ok(codes)
}

/// Values as numbers, NaN where there is none.
pub(super) fn numbers(place: &Place<'_>, frame: &DataFrame, column: &str) -> Result<Vec<f64>, TableError> {
    let series = frame.column(column).map_err(|e| place.malformed(&e))?.as_materialized_series();
    if !(series.dtype().is_primitive_numeric() || series.dtype() == &DataType::Boolean || series.dtype().is_null()) {
        return Err(place.wrong_type(column, series.dtype(), "numbers"));
    }
    let cast = series.cast(&DataType::Float64).map_err(|e| place.malformed(&e))?;
    let numbers = cast.f64().map_err(|e| place.malformed(&e))?;
    let numbers = numbers.rechunk();
    let values: Vec<f64> = match numbers.cont_slice() {
        Ok(slice) => slice.to_vec(),
        Err(_) => numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect(),
    };
    // A NaN that stands in the column is not the one that stands for nothing.
    let wrong = |(row, x): (usize, &f64)| !x.is_finite() && numbers.get(row).is_some();
    if let Some(row) = values.iter().enumerate().position(wrong) {
        return Err(place.value(row, column, "a value is not finite; leave the cell empty where there is no value"));
    }
    Ok(values)
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

fn open(path: &Path) -> Result<std::fs::File, TableError> {
    std::fs::File::open(path).map_err(|source| TableError::Io { path: path.to_owned(), source })
}

/// Columns and number of rows.
pub(super) fn header(path: &Path) -> Result<(Vec<String>, u64), TableError> {
    if is_csv(path) {
        let file = open(path)?;
        let bytes = file.metadata().map_err(|source| TableError::Io { path: path.to_owned(), source })?.len();
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().map_err(|e| csv_error(path, &e))?;
        return Ok((header.iter().map(str::to_owned).collect(), bytes / 40));
    }
    let mut reader = ParquetReader::new(open(path)?);
    let schema = reader.schema().map_err(|e| malformed(path, &e))?;
    let rows = reader.num_rows().map_err(|e| malformed(path, &e))?;
    Ok((schema.iter_names().map(ToString::to_string).collect(), rows as u64))
}

fn csv_error(path: &Path, error: &csv::Error) -> TableError {
    TableError::Malformed { path: path.to_owned(), why: error.to_string() }
}

/// Reads the wanted columns, [`STRETCH`] rows at a time.
pub(super) fn stretches(
    path: &Path,
    wanted: &[String],
    is_name: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(DataFrame) -> Result<(), TableError>,
) -> Result<(), TableError> {
    if is_csv(path) {
        return csv_stretches(path, wanted, is_name, take);
    }
    let (_, rows) = header(path)?;
    for from in (0..rows as usize).step_by(STRETCH) {
        let frame = ParquetReader::new(open(path)?)
            .with_columns(Some(wanted.to_vec()))
            .with_slice(Some((from, STRETCH)))
            .finish()
            .map_err(|e| malformed(path, &e))?;
        take(frame)?;
    }
    Ok(())
}

/// A column of values is one of numbers where every cell is a number or empty; names stay as they are written.
fn csv_stretches(
    path: &Path,
    wanted: &[String],
    is_name: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(DataFrame) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let mut reader = csv::Reader::from_reader(std::io::BufReader::new(open(path)?));
    let header = reader.headers().map_err(|e| csv_error(path, &e))?.clone();
    let places: Vec<usize> = wanted.iter().filter_map(|w| header.iter().position(|h| h == w)).collect();
    let mut record = csv::StringRecord::new();
    loop {
        let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); places.len()];
        while cells.first().is_some_and(|c| c.len() < STRETCH)
            && reader.read_record(&mut record).map_err(|e| csv_error(path, &e))?
        {
            for (cells, at) in cells.iter_mut().zip(&places) {
                cells.push(record.get(*at).filter(|c| !c.is_empty()).map(str::to_owned));
            }
        }
        let height = cells.first().map_or(0, Vec::len);
        if height == 0 {
            return Ok(());
        }
        let columns = wanted.iter().zip(cells).map(|(name, cells)| csv_column(name, cells, is_name(name))).collect();
        take(DataFrame::new(height, columns).map_err(|e| malformed(path, &e))?)?;
    }
}

fn csv_column(name: &str, cells: Vec<Option<String>>, is_name: bool) -> Column {
    let number = |cell: &Option<String>| -> Option<Option<f64>> {
        cell.as_ref().map_or(Some(None), |cell| cell.trim().parse().ok().map(Some))
    };
    match cells.iter().map(number).collect::<Option<Vec<Option<f64>>>>() {
        Some(numbers) if !is_name => Column::new(name.into(), numbers),
        _ => Column::new(name.into(), cells),
    }
}

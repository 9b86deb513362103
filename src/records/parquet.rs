//! Records as Parquet: nullable means absent; no code stands for a missing value.
//!
//! Columns: `item`, `reason` (failed only), `prompt_tokens`, `tokens`, then for scored answers `labels`, `ends`
//! (end of each label's tokens in `tokens` and `logprobs`), `logprobs`; for generated ones `text` and `finish`, and
//! where the model thought before it answered `thinking` and, where they were counted, `thinking_tokens` (since 1.1).

use super::error::RecordsError;
use super::manifest::FORMAT;
use super::record::Record;
use crate::benchmark::ItemId;
use crate::engine::{Answer, Finish, Part, Thought};
use crate::fixity::readable;
use polars::prelude::*;
use std::path::Path;

/// Encodes records; equal records give equal bytes.
///
/// # Errors
/// The encoder's words.
pub fn encode(records: &[Record]) -> PolarsResult<Vec<u8>> {
    let mut frame = frame(records)?;
    let mut bytes = Vec::new();
    let metadata = KeyValueMetadata::from_static(vec![("quantbias.format".to_owned(), FORMAT.to_owned())]);
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(metadata))
        .set_parallel(false)
        .finish(&mut frame)?;
    Ok(bytes)
}

/// The columns of one row, each absent where the answer has no such thing.
#[derive(Default)]
struct Row<'a> {
    reason: Option<&'a str>,
    prompt_tokens: Option<u32>,
    tokens: Option<Vec<u32>>,
    labels: Option<Vec<&'a str>>,
    ends: Option<Vec<u32>>,
    logprobs: Option<Vec<f64>>,
    text: Option<&'a str>,
    finish: Option<&'static str>,
    thinking: Option<&'a str>,
    thinking_tokens: Option<u32>,
}

impl<'a> Row<'a> {
    fn of(record: &'a Record) -> Self {
        match &record.answer {
            Err(reason) => Self { reason: Some(reason), ..Self::default() },
            Ok(Answer::Scored { parts, prompt_tokens }) => {
                let mut end = 0;
                let ends = parts.iter().map(|p| {
                    end += p.logprobs.len() as u32;
                    end
                });
                Self {
                    prompt_tokens: Some(*prompt_tokens),
                    ends: Some(ends.collect()),
                    tokens: Some(parts.iter().flat_map(|p| p.tokens.iter().copied()).collect()),
                    logprobs: Some(parts.iter().flat_map(|p| p.logprobs.iter().copied()).collect()),
                    labels: Some(parts.iter().map(|p| p.label.as_str()).collect()),
                    ..Self::default()
                }
            }
            Ok(Answer::Generated { text, tokens, finish, prompt_tokens, thought }) => Self {
                prompt_tokens: Some(*prompt_tokens),
                tokens: Some(tokens.clone()),
                text: Some(text),
                finish: Some(match finish {
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                }),
                thinking: thought.as_ref().map(|t| t.text.as_str()),
                thinking_tokens: thought.as_ref().and_then(|t| t.tokens),
                ..Self::default()
            },
        }
    }
}

fn frame(records: &[Record]) -> PolarsResult<DataFrame> {
    let rows: Vec<Row<'_>> = records.iter().map(Row::of).collect();
    let n = rows.len();
    let mut tokens = ListPrimitiveChunkedBuilder::<UInt32Type>::new("tokens".into(), n, n * 16, DataType::UInt32);
    let mut ends = ListPrimitiveChunkedBuilder::<UInt32Type>::new("ends".into(), n, n * 4, DataType::UInt32);
    let mut logprobs = ListPrimitiveChunkedBuilder::<Float64Type>::new("logprobs".into(), n, n * 16, DataType::Float64);
    let mut labels = ListStringChunkedBuilder::new("labels".into(), n, n * 4);
    for row in &rows {
        tokens.append_opt_slice(row.tokens.as_deref());
        ends.append_opt_slice(row.ends.as_deref());
        logprobs.append_opt_slice(row.logprobs.as_deref());
        match &row.labels {
            Some(names) => labels.append_values_iter(names.iter().copied()),
            None => labels.append_null(),
        }
    }
    let strings = |name: &str, values: Vec<Option<&str>>| Column::new(name.into(), values);
    DataFrame::new(
        n,
        vec![
            Column::new("item".into(), records.iter().map(|r| r.item.as_str()).collect::<Vec<_>>()),
            strings("reason", rows.iter().map(|r| r.reason).collect()),
            Column::new("prompt_tokens".into(), rows.iter().map(|r| r.prompt_tokens).collect::<Vec<_>>()),
            tokens.finish().into_column(),
            labels.finish().into_column(),
            ends.finish().into_column(),
            logprobs.finish().into_column(),
            strings("text", rows.iter().map(|r| r.text).collect()),
            strings("finish", rows.iter().map(|r| r.finish).collect()),
            strings("thinking", rows.iter().map(|r| r.thinking).collect()),
            Column::new("thinking_tokens".into(), rows.iter().map(|r| r.thinking_tokens).collect::<Vec<_>>()),
        ],
    )
}

/// Decodes records.
///
/// # Errors
/// [`RecordsError::Malformed`] and [`RecordsError::Version`].
pub fn decode(bytes: Vec<u8>, path: &Path) -> Result<Vec<Record>, RecordsError> {
    let malformed =
        |why: String| RecordsError::Malformed { path: path.to_owned(), what: "a Parquet file of records", why };
    let mut reader = ParquetReader::new(std::io::Cursor::new(bytes));
    let found = reader
        .get_metadata()
        .map_err(|e| malformed(e.to_string()))?
        .key_value_metadata()
        .as_ref()
        .and_then(|kv| kv.iter().find(|kv| kv.key == "quantbias.format").and_then(|kv| kv.value.clone()));
    match found {
        Some(version) if readable(&version, FORMAT) => {}
        Some(found) => return Err(RecordsError::Version { path: path.to_owned(), found, ours: FORMAT }),
        None => return Err(malformed("it carries no quantbias.format".to_owned())),
    }
    let frame = reader.finish().map_err(|e| malformed(e.to_string()))?;
    rows(&frame).map_err(|e| malformed(e.to_string()))
}

fn rows(frame: &DataFrame) -> PolarsResult<Vec<Record>> {
    let text = |name: &str| -> PolarsResult<Vec<Option<String>>> {
        Ok(frame.column(name)?.str()?.iter().map(|v| v.map(str::to_owned)).collect())
    };
    let (items, reasons, texts, finishes) = (text("item")?, text("reason")?, text("text")?, text("finish")?);
    let prompts: Vec<Option<u32>> = frame.column("prompt_tokens")?.u32()?.iter().collect();
    let (tokens, ends, logprobs, labels) =
        (frame.column("tokens")?, frame.column("ends")?, frame.column("logprobs")?, frame.column("labels")?);
    let mut thoughts = thoughts(frame)?;
    let mut records = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let item = ItemId::new(item.ok_or_else(|| bad(i, "has no item"))?);
        let answer = if let Some(reason) = &reasons[i] {
            Err(reason.clone())
        } else {
            let prompt_tokens = prompts[i].ok_or_else(|| bad(i, "has neither answer nor reason"))?;
            let tokens = numbers(tokens, i)?.u32()?.into_no_null_iter().collect::<Vec<u32>>();
            Ok(match &texts[i] {
                Some(text) => Answer::Generated {
                    text: text.clone(),
                    tokens,
                    finish: match finishes[i].as_deref() {
                        Some("stop") => Finish::Stop,
                        Some("length") => Finish::Length,
                        other => return Err(bad(i, &format!("has finish {other:?}"))),
                    },
                    prompt_tokens,
                    thought: thoughts.get_mut(i).and_then(Option::take),
                },
                None => Answer::Scored {
                    parts: parts(
                        numbers(labels, i)?.str()?,
                        numbers(ends, i)?.u32()?,
                        &tokens,
                        &numbers(logprobs, i)?.f64()?.into_no_null_iter().collect::<Vec<f64>>(),
                    )
                    .ok_or_else(|| bad(i, "has labels, ends, tokens, and logprobs of unequal length"))?,
                    prompt_tokens,
                },
            })
        };
        records.push(Record { item, answer });
    }
    Ok(records)
}

/// Thinking parts by row; none in a file older than 1.1.
fn thoughts(frame: &DataFrame) -> PolarsResult<Vec<Option<Thought>>> {
    let Ok(texts) = frame.column("thinking") else { return Ok(Vec::new()) };
    let counts = frame.column("thinking_tokens")?.u32()?;
    let thought = |(text, tokens): (Option<&str>, Option<u32>)| text.map(|t| Thought { text: t.to_owned(), tokens });
    Ok(texts.str()?.iter().zip(counts.iter()).map(thought).collect())
}

fn bad(row: usize, what: &str) -> PolarsError {
    PolarsError::ComputeError(format!("row {row} {what}").into())
}

fn numbers(column: &Column, row: usize) -> PolarsResult<Series> {
    column.list()?.get_as_series(row).ok_or_else(|| bad(row, "lacks a list"))
}

fn parts(labels: &StringChunked, ends: &UInt32Chunked, tokens: &[u32], logprobs: &[f64]) -> Option<Vec<Part>> {
    if labels.len() != ends.len() || !(tokens.is_empty() || tokens.len() == logprobs.len()) {
        return None;
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(labels.len());
    for (label, end) in labels.iter().zip(ends.iter()) {
        let end = end? as usize;
        // An engine without token ids gives none at all.
        let t = if tokens.is_empty() { tokens } else { tokens.get(start..end)? };
        let l = logprobs.get(start..end)?;
        parts.push(Part { label: label?.to_owned(), tokens: t.to_vec(), logprobs: l.to_vec() });
        start = end;
    }
    (start == logprobs.len()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::digest::RowDigest;

    fn records() -> Vec<Record> {
        let said = |thought| {
            Ok(Answer::Generated {
                text: "(B)".to_owned(),
                tokens: vec![4, 5, 6],
                finish: Finish::Stop,
                prompt_tokens: 3,
                thought,
            })
        };
        let thought = |tokens| Some(Thought { text: "a trap".to_owned(), tokens });
        let answers = [said(None), said(thought(Some(2))), said(thought(None)), Err("engine: gone".to_owned())];
        let name = |i: usize| ItemId::new(format!("i{i}"));
        answers.into_iter().enumerate().map(|(i, answer)| Record { item: name(i), answer }).collect()
    }

    #[test]
    fn thinking_comes_back_as_it_was_and_a_file_without_its_columns_has_none() {
        let all = records();
        assert_eq!(decode(encode(&all).unwrap(), Path::new("x")).unwrap(), all);
        let old = frame(&all).unwrap().drop("thinking").unwrap().drop("thinking_tokens").unwrap();
        let read = rows(&old).unwrap();
        assert!(read.iter().all(|r| !matches!(&r.answer, Ok(Answer::Generated { thought: Some(_), .. }))));
        assert_eq!(read[0], all[0]);
    }

    #[test]
    fn the_digest_of_rows_covers_thinking() {
        let digest = |records: &[Record]| {
            let mut rows = RowDigest::default();
            rows.feed("b", "s", records);
            rows.finish()
        };
        let all = records();
        let named = |i: usize| Record { item: ItemId::new("i"), ..all[i].clone() };
        let digests = [0, 1, 2].map(|i| digest(&[named(i)]));
        assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
    }
}

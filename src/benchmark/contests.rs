//! Mathematics contests as MathArena publishes them (Balunović et al., NeurIPS 2025 Datasets and Benchmarks): AIME 2025
//! (30 problems), CMIMC 2025 (40), HMMT February 2025 (30). Licence CC BY-NC-SA 4.0; no problem ships with this program.
//!
//! Read from `data/train-00000-of-00001.parquet` with the columns `problem_idx`, `problem`, `answer`, `problem_type` (a
//! list), or from the same columns as `problems.jsonl` or `problems.csv`, or from the layout of the authors' repository:
//! `answers.csv` (`id`, `answer`) beside `problems/<id>.tex`. Answers are generated, and compared as exact values.

use super::error::LoadError;
use super::item::{Ask, ClusterId, Item, ItemId, Key, Measure, Subgroup};
use super::options::{AskForm, LoadRequest};
use super::parquet;
use super::prompt::Renderer;
use super::source::Source;
use super::text::Text;
use super::{Draft, Entry};
use minijinja::context;
use serde_json::{Map, Value};

/// AIME 2025, I and II.
pub const AIME_2025: Entry = contest("aime_2025", include_str!("../../data/pins/aime_2025.toml"));
/// CMIMC 2025.
pub const CMIMC_2025: Entry = contest("cmimc_2025", include_str!("../../data/pins/cmimc_2025.toml"));
/// HMMT February 2025.
pub const HMMT_FEB_2025: Entry = contest("hmmt_feb_2025", include_str!("../../data/pins/hmmt_feb_2025.toml"));

const fn contest(name: &'static str, pin: &'static str) -> Entry {
    Entry {
        name,
        measure: Measure::ExactAnswer,
        asks: &[AskForm::Generate],
        cluster_unit: "problem (its samples together)",
        pin,
        offers: &[],
        above: super::axis_above,
        read,
    }
}

/// Prompt: the problem and where to put the answer.
pub const PROMPT: &str = "{{ problem }}\n\nReason step by step, and put the final answer within \\boxed{}.";

/// Most tokens of a solution, as in the paper of reference.
const MAX_TOKENS: u32 = 2000;

const PARQUET: &[&str] = &["data/train-00000-of-00001.parquet", "train-00000-of-00001.parquet", "problems.parquet"];

/// A problem with where it stands.
struct Problem {
    line: usize,
    index: String,
    text: String,
    answer: String,
    kinds: Vec<String>,
}

fn read(request: &LoadRequest, source: &mut Source) -> Result<Draft, LoadError> {
    request.refuse("subgroups", request.options.subgroups.is_some())?;
    request.refuse("categories", request.options.categories.is_some())?;
    let (text, problems) = problems(source)?;
    let renderer = Renderer::new(request, PROMPT);
    let mut items = Vec::new();
    for problem in &problems {
        let item = convert(request, &renderer, problem)?;
        source.admit(&text, problem.line, &item)?;
        items.push(item);
    }
    Ok(Draft { items, ..Draft::default() })
}

fn convert(request: &LoadRequest, renderer: &Renderer, problem: &Problem) -> Result<Item, LoadError> {
    let chat = request.options.chat;
    let prompt = renderer.render(context! { problem => problem.text.as_str(), chat })?;
    let kind = |name: &String| Subgroup { axis: "problem_type".into(), name: name.clone() };
    Ok(Item {
        id: ItemId::new(&problem.index),
        cluster: ClusterId::new(&problem.index),
        stratum: String::new(),
        subgroups: problem.kinds.iter().map(kind).collect(),
        condition: None,
        ask: Ask::generate(prompt, Vec::new(), request.options.max_tokens.unwrap_or(MAX_TOKENS), chat),
        key: Key { answer: Some(problem.answer.clone()), ..Key::default() },
    })
}

/// The problems, and the file that their lines are counted in.
fn problems(source: &mut Source) -> Result<(Text, Vec<Problem>), LoadError> {
    if source.has("answers.csv") {
        return from_repository(source);
    }
    if let Some(name) = ["problems.jsonl", "problems.csv"].into_iter().find(|n| source.has(n)) {
        let text = source.text(name)?;
        let rows = if name == "problems.csv" { text.table(b',')?.objects() } else { text.json_lines()? };
        return from_rows(source, text, &rows);
    }
    let name = source.first_of(PARQUET)?;
    let bytes = source.bytes(name)?;
    let rows = parquet::rows(bytes).map_err(|why| source.unreadable(name, why))?;
    let text = source.binary(name);
    let numbered: Vec<_> = rows.into_iter().enumerate().map(|(index, row)| (index + 1, row)).collect();
    from_rows(source, text, &numbered)
}

fn from_rows(
    source: &mut Source,
    text: Text,
    rows: &[(usize, Map<String, Value>)],
) -> Result<(Text, Vec<Problem>), LoadError> {
    source.rows(&text.name, rows.len());
    let problem = |(line, row): &(usize, Map<String, Value>)| {
        let word = |column: &str| match row.get(column) {
            Some(Value::String(word)) if !word.trim().is_empty() => Ok(word.trim().to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::String(_) | Value::Null) => Err(text.cell(*line, column, "is empty")),
            Some(_) => Err(text.cell(*line, column, "expected text or a number")),
            None => Err(text.cell(*line, column, "the row has no such column")),
        };
        Ok(Problem {
            line: *line,
            index: word("problem_idx")?,
            text: word("problem")?,
            answer: word("answer")?,
            kinds: kinds(row.get("problem_type")).map_err(|why| text.cell(*line, "problem_type", why))?,
        })
    };
    let problems = rows.iter().map(problem).collect::<Result<_, LoadError>>()?;
    Ok((text, problems))
}

/// The types of a problem: a list, or in a table `;` between them.
fn kinds(value: Option<&Value>) -> Result<Vec<String>, &'static str> {
    let mut kinds: Vec<String> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => {
            text.split(';').map(str::trim).filter(|k| !k.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::Array(list)) => {
            let word = |v: &Value| v.as_str().map(str::to_owned).ok_or("the list holds more than text");
            list.iter().map(word).collect::<Result<_, _>>()?
        }
        Some(_) => return Err("expected a list of names"),
    };
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

fn from_repository(source: &mut Source) -> Result<(Text, Vec<Problem>), LoadError> {
    let text = source.text("answers.csv")?;
    let table = text.table(b',')?;
    source.rows("answers.csv", table.rows.len());
    let (id, answer) = (table.column(&text, "id")?, table.column(&text, "answer")?);
    let mut problems = Vec::new();
    for (line, row) in &table.rows {
        let index = row[id].trim();
        // The id names a file: it may not lead out of the folder.
        if index.is_empty() || !index.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err(text.cell(*line, "id", format!("`{index}` cannot name a problem")));
        }
        let statement = source.text(&format!("problems/{index}.tex"))?;
        problems.push(Problem {
            line: *line,
            index: index.to_owned(),
            text: statement.text.trim().to_owned(),
            answer: row[answer].trim().to_owned(),
            kinds: Vec::new(),
        });
    }
    Ok((text, problems))
}

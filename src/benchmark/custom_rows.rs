//! Turns the rows of a user's benchmark into items.

use super::custom::{Definition, Part, Rows, separator};
use super::error::LoadError;
use super::item::{Ask, Candidate, ClusterId, Item, ItemId, Key, Measure, Role, Subgroup};
use super::options::{AskForm, LoadRequest};
use super::prompt::{environment, lettered};
use super::source::Source;
use super::text::Text;
use super::{fits, option_order};
use minijinja::value::{Serde, Value as Templated};
use minijinja::{Environment, context};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::{Map, Value};

/// Most tokens of a generated answer where the definition does not say.
const MAX_TOKENS: u32 = 32;

type Row = Map<String, Value>;

/// Reads all rows.
pub(super) fn read(
    definition: &Definition,
    request: &LoadRequest,
    source: &mut Source,
    text: &Text,
) -> Result<Vec<Item>, LoadError> {
    let rows: Vec<(usize, Row)> = match separator(&text.name) {
        Some(Rows::Table(delimiter)) => text.table(delimiter)?.objects(),
        _ => text.json_lines()?,
    };
    let reader = Reader { definition, request, text, env: environment() };
    let mut items = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        let item = reader.item(line, &row)?;
        source.admit(text, line, &item)?;
        fits(definition.measure, &item).map_err(|why| text.broken(line, why))?;
        items.push(item);
    }
    Ok(items)
}

struct Reader<'r> {
    definition: &'r Definition,
    request: &'r LoadRequest,
    text: &'r Text,
    env: Environment<'r>,
}

/// A part of the ask as rendered for one row.
struct Rendered {
    context: String,
    text: String,
    role: Role,
    names: Option<Subgroup>,
}

impl Reader<'_> {
    fn item(&self, line: usize, row: &Row) -> Result<Item, LoadError> {
        let columns = &self.definition.columns;
        let id = ItemId::new(self.word(line, row, &columns.id)?);
        let optional = |column: &Option<String>| match column {
            Some(column) => self.word(line, row, column).map(Some),
            None => Ok(None),
        };
        let listed: Vec<Rendered> = match &columns.options {
            Some(column) => self.own_options(line, row, column)?,
            None => self.definition.parts().iter().map(|p| self.part(line, row, p)).collect::<Result<_, _>>()?,
        };
        let exact = self.definition.measure == Measure::ExactAnswer;
        let gold = match &columns.gold {
            Some(column) if !exact => Some(self.gold(line, row, column, &listed)?),
            _ => None,
        };
        let answer = if exact { optional(&columns.gold)? } else { None };
        let order =
            if self.definition.ask.shuffle { option_order(&id, listed.len()) } else { (0..listed.len()).collect() };
        let shown: Vec<&Rendered> = order.iter().map(|&p| &listed[p]).collect();
        Ok(Item {
            cluster: ClusterId::new(self.word(line, row, &columns.cluster)?),
            stratum: optional(&columns.stratum)?.unwrap_or_default(),
            subgroups: self.subgroups(line, row)?,
            condition: optional(&columns.condition)?,
            ask: self.ask(line, row, &shown)?,
            key: Key {
                roles: shown.iter().map(|p| p.role).collect(),
                gold: gold.and_then(|g| order.iter().position(|&p| p == g)).map(|p| p as u32),
                polarity: optional(&columns.polarity)?,
                answer,
                names: Self::names(&shown),
                repeats: None,
            },
            id,
        })
    }

    /// The options that stand in the row itself.
    fn own_options(&self, line: usize, row: &Row, column: &str) -> Result<Vec<Rendered>, LoadError> {
        let texts = self.list(line, row, column)?;
        if !(2..=26).contains(&texts.len()) {
            return Err(self.text.cell(line, column, format!("{} options; there must be 2 to 26", texts.len())));
        }
        let roles = match &self.definition.columns.roles {
            Some(column) => {
                let words = self.list(line, row, column)?;
                if words.len() != texts.len() {
                    let why = format!("{} roles for {} options", words.len(), texts.len());
                    return Err(self.text.cell(line, column, why));
                }
                let role = |word: &String| role(word).map_err(|why| self.text.cell(line, column, why));
                words.iter().map(role).collect::<Result<Vec<Role>, _>>()?
            }
            None => vec![Role::Other; texts.len()],
        };
        let option = |(text, role)| Rendered { context: String::new(), text, role, names: None };
        Ok(texts.into_iter().zip(roles).map(option).collect())
    }

    /// A cell with several texts: a JSON list of texts and numbers, or `;` between them.
    fn list(&self, line: usize, row: &Row, column: &str) -> Result<Vec<String>, LoadError> {
        let odd = || self.text.cell(line, column, "expected a list of texts");
        let word = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(odd()),
        };
        match self.cell(line, row, column)? {
            Value::String(text) => Ok(text.split(';').map(|t| t.trim().to_owned()).collect()),
            Value::Array(list) => list.iter().map(word).collect(),
            _ => Err(odd()),
        }
    }

    /// The subgroup that each option names; nothing where no option names one.
    fn names(shown: &[&Rendered]) -> Vec<Option<Subgroup>> {
        let names: Vec<_> = shown.iter().map(|p| p.names.clone()).collect();
        if names.iter().all(Option::is_none) { Vec::new() } else { names }
    }

    fn ask(&self, line: usize, row: &Row, shown: &[&Rendered]) -> Result<Ask, LoadError> {
        let ask = &self.definition.ask;
        let texts: Vec<String> = shown.iter().map(|p| p.text.clone()).collect();
        let chat = ask.chat || self.request.options.chat;
        let prompt = || self.prompt(line, row, &texts, chat);
        let most = self.request.options.max_tokens.or(ask.max_tokens).unwrap_or(MAX_TOKENS);
        let mut put = match *ask.kind.get_ref() {
            AskForm::Likelihood => Ask::Likelihood {
                candidates: shown
                    .iter()
                    .map(|p| Candidate { context: p.context.clone(), text: p.text.clone() })
                    .collect(),
            },
            AskForm::FirstToken => Ask::first_token(prompt()?, texts, chat),
            AskForm::Generate => Ask::generate(prompt()?, texts, most, chat),
        };
        if let Ask::FirstToken { framing, .. } | Ask::Generate { framing, .. } = &mut put {
            framing.system = self.turn(line, row, "system", ask.system.as_ref())?;
            framing.prefill = self.turn(line, row, "prefill", ask.prefill.as_ref())?;
        }
        Ok(put)
    }

    /// A turn beside the prompt; one that comes out empty is none.
    fn turn(&self, line: usize, row: &Row, what: &str, own: Option<&String>) -> Result<Option<String>, LoadError> {
        let Some(template) = own else { return Ok(None) };
        let text = self.render(line, row, Templated::from(Serde(row)), what, template)?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn prompt(&self, line: usize, row: &Row, texts: &[String], chat: bool) -> Result<String, LoadError> {
        let options = &self.request.options;
        let template = options.prompt.as_ref().or(self.definition.ask.prompt.as_ref()).map_or("", String::as_str);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let variables = context! { options => lettered(&texts), chat, ..Templated::from(Serde(row)) };
        self.render(line, row, variables, "prompt", template)
    }

    fn part(&self, line: usize, row: &Row, part: &Part) -> Result<Rendered, LoadError> {
        let variables = Templated::from(Serde(row));
        let word = self.render(line, row, variables.clone(), "role", &part.role)?;
        let parsed = role(&word).map_err(|e| self.text.broken(line, format!("role: {e}")))?;
        Ok(Rendered {
            context: self.render(line, row, variables.clone(), "context", &part.context)?,
            text: self.render(line, row, variables.clone(), "text", &part.text)?,
            role: parsed,
            names: match &part.names {
                Some(names) => Some(Subgroup {
                    axis: self.render(line, row, variables.clone(), "names.axis", &names.axis)?,
                    name: self.render(line, row, variables, "names.name", &names.name)?,
                }),
                None => None,
            },
        })
    }

    fn render(
        &self,
        line: usize,
        row: &Row,
        variables: Templated,
        what: &str,
        template: &str,
    ) -> Result<String, LoadError> {
        if !template.contains('{') {
            return Ok(template.to_owned());
        }
        self.env.render_str(template, variables).map_err(|e| {
            let at = e.range().map_or("", |r| template.get(r).unwrap_or_default());
            let at = if at.is_empty() { String::new() } else { format!(" at `{at}`") };
            let columns: Vec<&str> = row.keys().map(String::as_str).collect();
            let why = format!(
                "the template `{what}` cannot be rendered: {}{at}; the row has {}",
                e.kind(),
                columns.join(", ")
            );
            self.text.broken(line, why)
        })
    }

    fn cell<'v>(&self, line: usize, row: &'v Row, column: &str) -> Result<&'v Value, LoadError> {
        row.get(column).ok_or_else(|| self.text.cell(line, column, "the row has no such column"))
    }

    /// A cell that is text, a number, or a truth value, as text; never empty.
    fn word(&self, line: usize, row: &Row, column: &str) -> Result<String, LoadError> {
        let word = match self.cell(line, row, column)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => String::new(),
            Value::Array(_) | Value::Object(_) => {
                return Err(self.text.cell(line, column, "expected text or a number, found a list or object"));
            }
        };
        if word.is_empty() { Err(self.text.cell(line, column, "is empty")) } else { Ok(word) }
    }

    /// The right option as the number in the TOML's order.
    fn gold(&self, line: usize, row: &Row, column: &str, listed: &[Rendered]) -> Result<usize, LoadError> {
        let word = self.word(line, row, column)?;
        let by_text = listed.iter().position(|p| p.text.trim() == word);
        let by_number = || word.parse().ok().filter(|&n: &usize| n < listed.len());
        by_text.or_else(by_number).ok_or_else(|| {
            let texts: Vec<String> = listed.iter().map(|p| format!("`{}`", p.text)).collect();
            let why = format!("`{word}` is neither the text of an option ({}) nor its number from 0", texts.join(", "));
            self.text.cell(line, column, why)
        })
    }

    fn subgroups(&self, line: usize, row: &Row) -> Result<Vec<Subgroup>, LoadError> {
        let mut out = Vec::new();
        for (axis, column) in &self.definition.columns.subgroups {
            let names: Vec<&str> = match self.cell(line, row, column)? {
                Value::Null => Vec::new(),
                Value::String(text) => text.split(';').map(str::trim).filter(|n| !n.is_empty()).collect(),
                Value::Array(list) => list
                    .iter()
                    .map(|v| v.as_str().ok_or_else(|| self.text.cell(line, column, "the list holds more than text")))
                    .collect::<Result<_, _>>()?,
                _ => return Err(self.text.cell(line, column, "expected a name or a list of names")),
            };
            for name in names {
                let subgroup = Subgroup { axis: axis.clone(), name: name.into() };
                if out.contains(&subgroup) {
                    return Err(self.text.cell(line, column, format!("`{name}` stands there twice")));
                }
                out.push(subgroup);
            }
        }
        Ok(out)
    }
}

/// A role by its word in files.
fn role(word: &str) -> Result<Role, String> {
    let word: StrDeserializer<ValueError> = word.trim().into_deserializer();
    Role::deserialize(word).map_err(|e| e.to_string())
}

//! An engine without a model: answers by a rule or a table, and breaks on demand.
//!
//! For tests, for simulated power, and for trying a spec without weights. It knows no roles: a rule prefers an
//! option by its place, and whoever wants stereotyped answers makes a table from the items' keys.

use super::{Answer, AskError, Engine, Finish, Part, Realised, RealisedTensors};
use crate::benchmark::Ask;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// What a scripted engine does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// How it answers under every setting without a rule of its own.
    pub rule: Rule,
    /// Rules by setting id.
    pub rules: BTreeMap<String, Rule>,
    /// Settings that it refuses to load, by id, with the reason.
    pub refuse: BTreeMap<String, String>,
    /// Where it breaks.
    pub faults: Vec<Fault>,
    /// Milliseconds that every answer takes.
    pub delay_ms: u64,
    /// Milliseconds that loading takes.
    pub load_delay_ms: u64,
}

/// How to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Prefer the candidate, word, or option at this place (the last one if there are fewer).
    Place(usize),
    /// Prefer the first with this probability, else the second, by a hash of seed and ask.
    Coin {
        /// Names the coin.
        seed: u64,
        /// Probability of the first, 0..=1.
        first: f64,
    },
    /// Answers by [`ask_key`]; an ask that is not in it is refused.
    Table(BTreeMap<String, Answer>),
}

impl Default for Rule {
    fn default() -> Self {
        Self::Place(0)
    }
}

/// One way to break, on every ask that contains a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Text contained in the ask.
    pub when: String,
    /// What happens.
    pub what: FaultKind,
    /// Only the first time, noted by making this file.
    pub once: Option<PathBuf>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The ask gets an error; the engine lives on.
    Fail(String),
    /// A panic with this message.
    Panic(String),
    /// The process is gone without a word.
    Abort,
    /// No answer, ever.
    Hang,
    /// So many MiB of memory are written and held for a fifth of a second; then the ask is answered.
    Exhaust(usize),
}

/// A scripted engine for one setting.
#[derive(Debug, Clone)]
pub struct ScriptedEngine {
    script: Script,
    rule: Rule,
    realised: Realised,
}

impl ScriptedEngine {
    /// Makes the engine of a setting.
    ///
    /// # Errors
    /// The reason, if the script refuses this setting.
    pub fn load(script: Script, setting: &str) -> Result<Self, String> {
        std::thread::sleep(Duration::from_millis(script.load_delay_ms));
        if let Some(reason) = script.refuse.get(setting) {
            return Err(reason.clone());
        }
        let rule = script.rules.get(setting).unwrap_or(&script.rule).clone();
        Ok(Self { script, rule, realised: realised() })
    }

    fn place(&self, ask: &Ask, places: usize) -> usize {
        let wanted = match &self.rule {
            Rule::Place(place) => *place,
            Rule::Coin { seed, first } => usize::from(uniform(*seed, ask) >= *first),
            Rule::Table(_) => 0,
        };
        wanted.min(places.saturating_sub(1))
    }
}

impl Engine for ScriptedEngine {
    fn realised(&self) -> &Realised {
        &self.realised
    }

    fn answer(&mut self, ask: &Ask) -> Result<Answer, AskError> {
        if self.script.delay_ms > 0 {
            std::thread::sleep(Duration::from_millis(self.script.delay_ms));
        }
        for fault in &self.script.faults {
            strike(fault, ask)?;
        }
        if let Rule::Table(table) = &self.rule {
            let missing = || AskError::Refused { reason: "the table has no answer to this ask".to_owned() };
            return table.get(&ask_key(ask)).cloned().ok_or_else(missing);
        }
        Ok(match ask {
            Ask::Likelihood { candidates } => {
                let best = self.place(ask, candidates.len());
                let texts = candidates.iter().map(|c| c.text.as_str());
                scored(texts.enumerate().map(|(i, text)| (i.to_string(), text, i == best)))
            }
            Ask::FirstToken { words, .. } => {
                let best = self.place(ask, words.len());
                let words = words.iter().map(String::as_str);
                scored(words.enumerate().map(|(i, word)| (word.to_owned(), "a", i == best)))
            }
            Ask::Generate { options, .. } => {
                let place = u8::try_from(self.place(ask, options.len())).unwrap_or(25).min(25);
                let letter = char::from(b'A' + place);
                let text = if options.is_empty() { " and that was that.".to_owned() } else { format!("({letter})") };
                Answer::Generated { text, tokens: Vec::new(), finish: Finish::Stop, prompt_tokens: 1, thought: None }
            }
        })
    }
}

/// Names an ask in a table: SHA-256 of its JSON, lower-case hexadecimal.
#[must_use]
pub fn ask_key(ask: &Ask) -> String {
    digest(ask).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn digest(ask: &Ask) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(ask).unwrap_or_default()).into()
}

/// A number in [0, 1) from seed and ask.
fn uniform(seed: u64, ask: &Ask) -> f64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(digest(ask));
    let bytes: [u8; 32] = hasher.finalize().into();
    let mut first = [0_u8; 8];
    first.copy_from_slice(&bytes[..8]);
    (u64::from_le_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}

/// One token per word of the text; the preferred part has log-probability −1 per token, the others −2.
fn scored<'a>(parts: impl Iterator<Item = (String, &'a str, bool)>) -> Answer {
    let parts: Vec<Part> = parts
        .map(|(label, text, best)| {
            let tokens: Vec<u32> = (0..).zip(text.split_whitespace()).map(|(i, _)| i).collect();
            let logprobs = vec![if best { -1.0 } else { -2.0 }; tokens.len()];
            Part { label, tokens, logprobs }
        })
        .collect();
    let prompt_tokens = parts.iter().map(|p| p.tokens.len()).max().unwrap_or(0);
    Answer::Scored { parts, prompt_tokens: u32::try_from(prompt_tokens).unwrap_or(u32::MAX) }
}

fn strike(fault: &Fault, ask: &Ask) -> Result<(), AskError> {
    if !serde_json::to_string(ask).unwrap_or_default().contains(&fault.when) {
        return Ok(());
    }
    if let Some(mark) = &fault.once
        && std::fs::OpenOptions::new().write(true).create_new(true).open(mark).is_err()
    {
        return Ok(());
    }
    match &fault.what {
        FaultKind::Fail(reason) => Err(AskError::Engine { reason: reason.clone() }),
        FaultKind::Panic(message) => panic!("{message}"),
        FaultKind::Abort => std::process::abort(),
        FaultKind::Hang => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        FaultKind::Exhaust(mib) => {
            let held = vec![1_u8; mib << 20];
            std::thread::sleep(Duration::from_millis(200));
            std::hint::black_box(held);
            Ok(())
        }
    }
}

/// What a script realises: nothing, said so.
#[must_use]
pub fn realised() -> Realised {
    Realised {
        quantized: vec![RealisedTensors { format: "scripted".to_owned(), tensors: 0, weights: 0, bytes: 0 }],
        untouched: Vec::new(),
        bits_per_weight: None,
        bits_per_weight_model: None,
        activations: "none".to_owned(),
        activations_quantized: false,
        device: "cpu".to_owned(),
        dtype: "f32".to_owned(),
        deviations: vec!["Scripted answers: no model was loaded.".to_owned()],
        server: BTreeMap::new(),
    }
}

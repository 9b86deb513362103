//! Prompt templates: the words around an item.
//!
//! A template names its variables as `{{ context }}`; a name that the item does not have is an error, never an
//! empty text. Nothing is escaped: what the data set says is what the model reads.

use super::error::LoadError;
use super::item::{Ask, Candidate};
use super::options::{AskForm, LoadRequest};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, context};

/// The environment of all prompt templates: strict, verbatim.
#[must_use]
pub fn environment<'s>() -> Environment<'s> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    let verbatim = SyntaxConfig::builder().keep_trailing_newline(true).build();
    env.set_syntax(verbatim.expect("the default delimiters are valid"));
    env
}

/// Up to 26 options as a template sees them, in order: each with `letter` (A, B, C …) and `text`.
#[must_use]
pub fn lettered(options: &[&str]) -> Value {
    ('A'..='Z').zip(options).map(|(letter, text)| context! { letter, text => *text }).collect()
}

/// Renders one template for many items; it is read once.
pub struct Renderer<'s> {
    env: Environment<'s>,
    request: &'s LoadRequest,
    /// Why the template cannot be read, if so.
    broken: Option<String>,
}

const NAME: &str = "prompt";

impl<'s> Renderer<'s> {
    /// Takes the user's template, or else the benchmark's own.
    #[must_use]
    pub fn new(request: &'s LoadRequest, own: &'s str) -> Self {
        let mut env = environment();
        let source = request.options.prompt.as_deref().unwrap_or(own);
        let broken = env.add_template(NAME, source).err().map(|e| e.to_string());
        Self { env, request, broken }
    }

    /// The prompt of one item.
    ///
    /// # Errors
    /// [`LoadError::BadOption`] for a template that cannot be read or names an unknown variable.
    pub fn render(&self, variables: Value) -> Result<String, LoadError> {
        let bad = |why: &str| self.request.bad(NAME, format!("the template cannot be rendered: {why}"));
        if let Some(why) = &self.broken {
            return Err(bad(why));
        }
        let template = self.env.get_template(NAME).map_err(|e| bad(&e.to_string()))?;
        template.render(variables).map_err(|e| bad(&e.to_string()))
    }
}

/// How a choice among options is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Form of the question.
    pub ask: AskForm,
    /// Whether the model's chat template wraps the prompt.
    pub chat: bool,
    /// Most tokens to generate.
    pub max_tokens: u32,
}

impl Choice {
    /// The ask with letters: as a first token the letters are the answer words, as a likelihood the prompt is the
    /// context of each option.
    #[must_use]
    pub fn put(self, prompt: String, options: &[&str]) -> Ask {
        let letters = || ('A'..='Z').take(options.len()).map(String::from).collect();
        match self.ask {
            AskForm::Likelihood => {
                let candidate = |o: &&str| Candidate { context: prompt.clone(), text: format!(" {o}") };
                Ask::Likelihood { candidates: options.iter().map(candidate).collect() }
            }
            AskForm::FirstToken => Ask::first_token(prompt, letters(), self.chat),
            AskForm::Generate => {
                Ask::generate(prompt, options.iter().map(|&o| o.to_owned()).collect(), self.max_tokens, self.chat)
            }
        }
    }

    /// As [`Choice::put`], but as a first token the options themselves are the answer words.
    #[must_use]
    pub fn put_words(self, prompt: String, options: &[&str]) -> Ask {
        match self.ask {
            AskForm::FirstToken => {
                let words = options.iter().map(|&o| o.to_owned()).collect();
                Ask::first_token(prompt, words, self.chat)
            }
            AskForm::Likelihood | AskForm::Generate => self.put(prompt, options),
        }
    }
}

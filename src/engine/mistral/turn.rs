//! From a prompt to token ids: as it stands, or through the model's own chat template with the system's turn and the
//! beginning of the assistant's.
//!
//! The template is rendered to text, the prefilled reply joined to it, and the whole is tokenized once, so that the model
//! sees the tokens that it would have seen had it written the beginning itself. It refuses a template that leaves the system's
//! turn out.

use super::MistralEngine;
use super::reply::Prompt;
use crate::benchmark::Framing;
use crate::engine::{AskError, prompt};

type Message<'m> = (&'static str, &'m str);

impl MistralEngine {
    /// Token ids of a prompt, with exactly one BOS in front where the model has one.
    pub(super) fn prompt(&self, prompt: &str, chat: bool, framing: &Framing) -> Result<Prompt, AskError> {
        let refuse = |reason: &str| Err(AskError::Refused { reason: reason.to_owned() });
        if !chat && !framing.is_plain() {
            return refuse("without a chat template there is neither a system's nor an assistant's turn");
        }
        let rendered = if chat { self.chat(prompt, framing.system.as_deref())? } else { prompt.to_owned() };
        let prefill = framing.prefill.as_deref().unwrap_or_default();
        let ids = self.tokenize(&format!("{rendered}{prefill}"))?;
        let tokens = prompt::with_bos(self.special.bos, ids)?;
        if tokens.is_empty() {
            return refuse("the prompt is empty");
        }
        Ok(Prompt { tokens, rendered })
    }

    /// The user's turn in the chat template, up to where the assistant's begins.
    fn chat(&self, user: &str, system: Option<&str>) -> Result<String, AskError> {
        let plain = [("user", user)];
        let Some(system) = system else {
            let failed = |why| format!("the chat template cannot render the prompt: {why}");
            return self.render(&plain).map_err(|why| AskError::Refused { reason: why.words(failed) });
        };
        let with = self.render(&[("system", system), ("user", user)]);
        let rendered = with.map_err(|why| {
            let failed = |why| format!("the model's chat template takes no system prompt: {why}");
            AskError::Refused { reason: why.words(failed) }
        })?;
        if !rendered.contains(system.trim()) || self.render(&plain).is_ok_and(|without| without == rendered) {
            let reason = "the model's chat template leaves the system prompt out".to_owned();
            return Err(AskError::Refused { reason });
        }
        Ok(rendered)
    }

    fn render(&self, messages: &[Message<'_>]) -> Result<String, Unrendered> {
        let pipeline = self.pipeline.blocking_lock();
        if !pipeline.get_chat_template().is_some_and(|t| t.has_chat_template()) {
            return Err(Unrendered::NoTemplate);
        }
        let message = |(role, content): &Message<'_>| {
            let turn = [("role", *role), ("content", *content)];
            turn.into_iter().map(|(k, v)| (k.to_owned(), super::either_left(v))).collect()
        };
        let messages = messages.iter().map(message).collect();
        let processed = pipeline.get_processor().process(&*pipeline, messages, true, false, None, None, Vec::new());
        processed.map(|(_, text)| text).map_err(|e| Unrendered::Template(format!("{e:#}")))
    }
}

/// Why there is no rendered text.
enum Unrendered {
    NoTemplate,
    /// The template's words.
    Template(String),
}

impl Unrendered {
    fn words(self, said: impl Fn(String) -> String) -> String {
        match self {
            Self::NoTemplate => "the model has no chat template".to_owned(),
            Self::Template(why) => said(why),
        }
    }
}

//! The model's tokenizer as two functions, and its special tokens.

use super::Shared;
use crate::engine::load::LoadError;
use std::path::Path;
use std::sync::Arc;

pub(super) type Encode = Box<dyn Fn(&str) -> Result<Vec<u32>, String> + Send>;
pub(super) type Decode = Arc<dyn Fn(&[u32]) -> Result<String, String> + Send + Sync>;
pub(super) type TokenId = Box<dyn Fn(&str) -> Option<u32> + Send>;

/// What the tokenizer puts around texts, and how long a text may be.
pub(super) struct Special {
    /// The BOS that the tokenizer puts in front of every prompt, if it does.
    pub(super) bos: Option<u32>,
    /// What stands before a scored text without context, so that its first token has a prediction: the BOS above,
    /// else a BOS that the model knows but does not use in prompts, else EOS (as lm-evaluation-harness does).
    pub(super) opening: Option<u32>,
    /// The tokens that mistral.rs takes for the end of a reply.
    pub(super) ends: Vec<u32>,
    /// Positions that mistral.rs allows.
    pub(super) limit: usize,
}

/// The tokenizer of a loaded model; `directory` holds its files.
pub(super) fn of(
    pipeline: &Shared,
    directory: &Path,
    model: &str,
) -> Result<(Encode, Decode, TokenId, Special), LoadError> {
    let pipeline = pipeline.blocking_lock();
    let failed = |why: &str| LoadError::Engine { model: model.to_owned(), why: why.to_owned() };
    let tokenizer = pipeline.tokenizer().ok_or_else(|| failed("it has no tokenizer"))?;
    let template = pipeline.get_chat_template();
    let id = |token: Option<String>| token.and_then(|t| tokenizer.token_to_id(&t));
    let known = id(template.as_ref().and_then(|t| t.bos_tok()));
    let ids = |special| tokenizer.encode_fast("a", special).map_err(|e| failed(&e.to_string()));
    let (with, without) = (ids(true)?, ids(false)?);
    let (with, without) = (with.get_ids(), without.get_ids());
    let added = (with.len() > without.len() && with[0] != without[0]).then(|| with[0]);
    let bos = added.or(known.filter(|_| adds_bos(directory)));
    let special = Special {
        bos,
        opening: bos.or(known).or_else(|| id(template.as_ref().and_then(|t| t.eos_tok()))),
        ends: pipeline.get_metadata().eos_tok.clone(),
        limit: pipeline.get_metadata().max_seq_len,
    };
    let (decoder, vocabulary) = (tokenizer.clone(), tokenizer.clone());
    let encode: Encode = Box::new(move |text| {
        tokenizer.encode_fast(text, false).map(|e| e.get_ids().to_vec()).map_err(|e| e.to_string())
    });
    let decode: Decode = Arc::new(move |ids| decoder.decode(ids, true).map_err(|e| e.to_string()));
    let token_id: TokenId = Box::new(move |token| vocabulary.token_to_id(token));
    Ok((encode, decode, token_id, special))
}

/// Whether the configuration asks for a BOS that `tokenizer.json` itself does not add.
fn adds_bos(directory: &Path) -> bool {
    let config = std::fs::read(directory.join("tokenizer_config.json")).unwrap_or_default();
    serde_json::from_slice::<serde_json::Value>(&config).is_ok_and(|c| c["add_bos_token"] == true)
}

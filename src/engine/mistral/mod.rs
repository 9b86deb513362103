//! mistral.rs as an engine: the only folder that names the crate.
//!
//! One request at a time, for three reasons read in its source (0.8.1): raw logits work for one sequence per step
//! only; raw and generating sequences in one step stop the engine thread; and what else is in a batch changes
//! low-order bits. So an answer depends on the item alone, never on what was asked before. The prefix cache is off. Tokens
//! are chosen by code of ours ([`choose`]), because mistral.rs draws all its random numbers from one generator.
//!
//! It refuses a prompt that does not fit, a number that is not finite, and any mix of scoring and generating.

mod choose;
mod reply;
mod start;
mod tokens;
pub(super) mod topology;
mod turn;

use super::load::{LoadError, LoadSetting, ModelFiles};
use super::prompt::{self, Forms, Joined};
use super::realised;
use super::softmax::log_probabilities;
use super::{Answer, AskError, Engine, Mode, Part, Realised, Spent};
use crate::benchmark::{Ask, Candidate, Framing};
use crate::spec::setting::ModelSource;
use mistralrs::core::{Pipeline, ResponseErr};
use mistralrs::{
    Constraint, DType, MistralRs, NormalRequest, Request, RequestMessage, Response, ResponseOk, SamplingParams, Tensor,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokens::{Decode, Encode, Special, TokenId};
use tokio::sync::mpsc;

type Shared = Arc<tokio::sync::Mutex<dyn Pipeline>>;

/// A model loaded by mistral.rs for one setting and one mode.
pub struct MistralEngine {
    realised: Realised,
    mode: Mode,
    /// Id of the setting, which names its random numbers where they are not shared.
    setting: String,
    /// Keeps the engine thread alive.
    _runner: Arc<MistralRs>,
    sender: mpsc::Sender<Request>,
    pipeline: Shared,
    encode: Encode,
    decode: Decode,
    token_id: TokenId,
    special: Special,
    vocabulary: usize,
    limit: usize,
    next_id: usize,
    spent: Spent,
    /// Receivers of sequences that are still in the engine. After a raw answer mistral.rs takes one step more with
    /// the sequence; if that fails (no position is left), it sends the error and unwraps the sending.
    lingering: Vec<mpsc::Receiver<Response>>,
}

impl std::fmt::Debug for MistralEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MistralEngine")
            .field("mode", &self.mode)
            .field("realised", &self.realised)
            .finish_non_exhaustive()
    }
}

impl MistralEngine {
    /// Loads a model.
    ///
    /// Everything that can be known from the files is checked first, so that mistral.rs meets sound files only.
    ///
    /// # Errors
    /// [`LoadError`]; a panic inside mistral.rs becomes one too.
    pub fn load(setting: &LoadSetting) -> Result<Self, LoadError> {
        let directory = directory(&setting.source)?;
        let model = directory.display().to_string();
        let files = ModelFiles::inspect(&directory)?;
        let realised = realised::realise(&files, setting)?;
        let (pipeline, runner) = start::start(setting, &files, &model)?;
        let sender =
            runner.get_sender(None).map_err(|e| LoadError::Engine { model: model.clone(), why: e.to_string() })?;
        let (encode, decode, token_id, special) = tokens::of(&pipeline, &directory, &model)?;
        let limit = usize::try_from(files.number("max_position_embeddings").unwrap_or(0)).unwrap_or(0);
        let vocabulary = usize::try_from(files.number("vocab_size").unwrap_or(0)).unwrap_or(0);
        Ok(Self {
            realised,
            mode: setting.mode,
            setting: String::new(),
            _runner: runner,
            sender,
            pipeline,
            encode,
            decode,
            token_id,
            vocabulary,
            limit: limit.min(special.limit),
            special,
            next_id: 1,
            spent: Spent::default(),
            lingering: Vec::new(),
        })
    }

    /// Names the setting that the engine answers for; without it, random numbers of its own are those of no setting.
    #[must_use]
    pub fn named(mut self, setting: &str) -> Self {
        setting.clone_into(&mut self.setting);
        self
    }

    /// Makes the engine thread a member of rayon's global pool: two to four times as fast for quantized weights.
    ///
    /// Only for a process that does nothing else: whoever enters the pool from another thread waits for the engine,
    /// and for ever once it is gone.
    pub fn take_thread_pool(&self, threads: u32) {
        start::adopt_thread_pool(&self.sender, threads as usize);
    }

    /// Token ids of a text, without special tokens; what text means for this model.
    ///
    /// # Errors
    /// [`AskError::Engine`].
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>, AskError> {
        (self.encode)(text).map_err(|reason| AskError::Engine { reason })
    }

    fn likelihood(&mut self, candidates: &[Candidate]) -> Result<Answer, AskError> {
        let joined = candidates
            .iter()
            .map(|c| prompt::join(self.special.opening, self.special.bos, &c.context, &c.text, |t| self.tokenize(t)))
            .collect::<Result<Vec<Joined>, _>>()?;
        let longest = joined.iter().map(|j| j.tokens.len()).max().unwrap_or(0);
        self.check_length(longest)?;
        // Nothing is predicted from the last token, so it is not fed; texts that then begin alike share a request.
        let fed: Vec<&[u32]> = joined.iter().map(|j| &j.tokens[..j.tokens.len() - 1]).collect();
        let by = prompt::served_by(&fed);
        let mut logprobs = vec![Vec::new(); joined.len()];
        for server in (0..joined.len()).filter(|&s| by[s] == s) {
            let served: Vec<usize> = (0..joined.len()).filter(|&i| by[i] == server).collect();
            let from = served.iter().map(|&i| joined[i].scored_from - 1).min().unwrap_or(0);
            let rows = self.logits(fed[server], from, fed[server].len() - from)?;
            let width = rows.len() / (fed[server].len() - from);
            for i in served {
                let own = joined[i].scored_from - 1 - from..fed[i].len() - from;
                let rows = &rows[own.start * width..own.end * width];
                logprobs[i] = chain(rows, &joined[i].tokens[joined[i].scored_from..])?;
            }
        }
        let parts = joined.iter().zip(logprobs).enumerate().map(|(index, (j, logprobs))| Part {
            label: index.to_string(),
            tokens: j.tokens[j.scored_from..].to_vec(),
            logprobs,
        });
        Ok(Answer::Scored { parts: parts.collect(), prompt_tokens: count(longest) })
    }

    fn first_token(
        &mut self,
        prompt: &str,
        words: &[String],
        chat: bool,
        framing: &Framing,
    ) -> Result<Answer, AskError> {
        let tokens = self.prompt(prompt, chat, framing)?.tokens;
        self.check_length(tokens.len() + 1)?;
        let before = if chat { framing.prefill.as_deref() } else { Some(prompt) };
        let spaced = before.is_some_and(|text| !text.ends_with(char::is_whitespace));
        let forms =
            words.iter().map(|w| prompt::forms(w, spaced, |t| self.tokenize(t))).collect::<Result<Vec<_>, _>>()?;
        let row = self.rows_after(&tokens, &[])?;
        let mut parts = Vec::with_capacity(words.len());
        for (word, Forms { single, several }) in words.iter().zip(forms) {
            let mut logprobs = log_probabilities(&row, &single).map_err(not_finite)?;
            let mut ids = single;
            for sequence in several {
                self.check_length(tokens.len() + sequence.len())?;
                let rows = self.rows_after(&tokens, &sequence[..sequence.len() - 1])?;
                logprobs.push(chain(&rows, &sequence)?.iter().sum());
                ids.push(sequence[0]);
            }
            parts.push(Part { label: word.clone(), tokens: ids, logprobs });
        }
        Ok(Answer::Scored { parts, prompt_tokens: count(tokens.len()) })
    }

    fn count_generated(&mut self, tokens: usize) {
        self.spent.generated += tokens as u64;
    }

    fn check_length(&self, tokens: usize) -> Result<(), AskError> {
        if tokens > self.limit {
            return Err(AskError::TooLong { tokens: count(tokens), limit: count(self.limit) });
        }
        Ok(())
    }

    /// Rows `from .. from + rows` of the prompt's logits, one after the other; row i predicts token i + 1.
    fn logits(&mut self, tokens: &[u32], from: usize, rows: usize) -> Result<Vec<f32>, AskError> {
        let request = NormalRequest {
            sampling_params: SamplingParams { max_len: Some(0), ..SamplingParams::deterministic() },
            return_raw_logits: true,
            ..self.request(tokens.to_vec())
        };
        let ResponseOk::Raw { logits_chunks, tokens: seen } = self.ask(request)? else {
            return Err(AskError::Engine { reason: "it answered a raw request with something else".to_owned() });
        };
        let [logits] = logits_chunks.as_slice() else {
            return Err(AskError::Engine {
                reason: format!("{} chunks of logits instead of one", logits_chunks.len()),
            });
        };
        let (found, vocabulary) = logits.dims2().map_err(|e| AskError::Engine { reason: e.to_string() })?;
        if found != tokens.len() || seen != tokens || vocabulary < self.vocabulary {
            let reason = format!("{found} rows of {vocabulary} logits for {} tokens", tokens.len());
            return Err(AskError::Engine { reason });
        }
        rows_of(logits, from, rows).map_err(|e| AskError::Engine { reason: e.to_string() })
    }

    /// The row of logits after the prompt, and after each of the tokens `given` behind it, one after the other.
    fn rows_after(&mut self, tokens: &[u32], given: &[u32]) -> Result<Vec<f32>, AskError> {
        let whole: Vec<u32> = tokens.iter().chain(given).copied().collect();
        self.logits(&whole, tokens.len() - 1, given.len() + 1)
    }

    fn request(&mut self, tokens: Vec<u32>) -> NormalRequest {
        self.next_id += 1;
        NormalRequest {
            messages: RequestMessage::CompletionTokens(tokens),
            sampling_params: SamplingParams::deterministic(),
            response: mpsc::channel(1).0,
            return_logprobs: false,
            is_streaming: false,
            id: self.next_id,
            constraint: Constraint::None,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: None,
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        }
    }

    fn ask(&mut self, mut request: NormalRequest) -> Result<ResponseOk, AskError> {
        let gone = || AskError::Engine { reason: "its thread has ended".to_owned() };
        let (sender, mut receiver) = mpsc::channel(1);
        request.response = sender;
        if let RequestMessage::CompletionTokens(tokens) = &request.messages {
            self.spent.fed += tokens.len() as u64;
        }
        let began = Instant::now();
        self.sender.blocking_send(Request::Normal(Box::new(request))).map_err(|_| gone())?;
        let response = receiver.blocking_recv().ok_or_else(gone)?;
        self.spent.micros += u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lingering.retain_mut(|r| !matches!(r.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
        self.lingering.push(receiver);
        response.as_result().map_err(|e| AskError::Engine { reason: words(*e) })
    }
}

impl Engine for MistralEngine {
    fn realised(&self) -> &Realised {
        &self.realised
    }

    fn spent(&self) -> Spent {
        self.spent
    }

    fn answer(&mut self, ask: &Ask) -> Result<Answer, AskError> {
        if Mode::of(ask) != self.mode {
            let reason = format!("a {} ask on an engine loaded for the other mode", ask.kind());
            return Err(AskError::Refused { reason });
        }
        match ask {
            Ask::Likelihood { candidates } => self.likelihood(candidates),
            Ask::FirstToken { prompt, words, chat, framing } => self.first_token(prompt, words, *chat, framing),
            Ask::Generate { prompt, max_tokens, chat, framing, decoding, .. } => {
                let prompt = self.prompt(prompt, *chat, framing)?;
                self.generate(prompt, ask.prefill(), *max_tokens, decoding)
            }
        }
    }
}

fn rows_of(logits: &Tensor, from: usize, rows: usize) -> mistralrs::Result<Vec<f32>> {
    logits.narrow(0, from, rows)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// Log-probability of each token under its own row; `rows` holds as many equal rows as there are tokens.
fn chain(rows: &[f32], tokens: &[u32]) -> Result<Vec<f64>, AskError> {
    let rows = rows.chunks_exact(rows.len() / tokens.len());
    tokens.iter().zip(rows).map(|(&t, row)| log_probabilities(row, &[t]).map(|p| p[0]).map_err(not_finite)).collect()
}

fn not_finite(index: usize) -> AskError {
    AskError::Engine { reason: format!("logit {index} is not a finite number") }
}

fn words(error: ResponseErr) -> String {
    match error {
        ResponseErr::InternalError(e) | ResponseErr::ValidationError(e) => first_line(&e.to_string()),
        ResponseErr::ModelError(e, _) | ResponseErr::CompletionModelError(e, _) => first_line(&e),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn either_left(text: &str) -> mistralrs::MessageContent {
    mistralrs::MessageContent::Left(text.to_owned())
}

/// The folder of a model's files; a hub model is fetched.
fn directory(source: &ModelSource) -> Result<PathBuf, LoadError> {
    match source.files() {
        ModelSource::Directory(path) => Ok(path.clone()),
        ModelSource::Hub { id, revision } => Ok(super::hub::resolve(id, revision.as_deref())?),
        ModelSource::Endpoint(endpoint) => {
            let why = "a served model is not loaded here".to_owned();
            Err(LoadError::Engine { model: endpoint.model.clone(), why })
        }
        version => Err(LoadError::Engine { model: format!("{version:?}"), why: "it has no files".to_owned() }),
    }
}

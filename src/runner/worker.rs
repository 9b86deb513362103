//! The worker process: one engine, one setting, one mode; questions in, replies out.
//!
//! It ends when its stdin closes, even in the middle of a computation, so that it never outlives its supervisor.
//! It writes nothing but replies, and no file.

use super::protocol::{EngineChoice, Question, Reply, Start, write_reply};
use super::speed::{Took, micros};
use crate::engine::openai::{OpenAiEngine, Patience, Unusable};
use crate::engine::scripted::ScriptedEngine;
use crate::engine::{Engine, panic_text};
use crate::spec::ModelSource;
use std::io::BufRead;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// Exit code of a worker that broke.
const BROKEN: i32 = 101;

/// Body of the hidden subcommand `worker`.
#[must_use]
pub fn main() -> ExitCode {
    let lines = read_stdin();
    let Some(start) = lines.recv().ok().and_then(|line| serde_json::from_str::<Start>(&line).ok()) else {
        reply(&Reply::Refused { reason: "the first line is not a start message".to_owned() });
        return ExitCode::FAILURE;
    };
    let began = Instant::now();
    let mut engine = match load(&start) {
        Ok(engine) => engine,
        Err(unusable) => {
            reply(&match unusable {
                Unusable::Gone(reason) => Reply::Gone { reason },
                Unusable::Wrong(reason) => Reply::Refused { reason },
            });
            return ExitCode::SUCCESS;
        }
    };
    end_at_panic();
    reply(&Reply::Ready { realised: Box::new(engine.realised().clone()), millis: millis(began) });
    let mut idle_since = Instant::now();
    for line in lines {
        let Ok(Question { seq, ask }) = serde_json::from_str(&line) else {
            reply(&Reply::Broken { reason: "a question is not readable".to_owned() });
            return ExitCode::FAILURE;
        };
        let before = engine.spent();
        let began = Instant::now();
        let answer = engine.answer(&ask);
        let took = Took {
            waiting: micros(began - idle_since),
            answering: micros(began.elapsed()),
            engine: engine.spent().since(before),
        };
        idle_since = Instant::now();
        reply(&match answer {
            Ok(answer) => Reply::Answered { seq, answer, took },
            Err(error) => Reply::Failed { seq, error, took },
        });
    }
    ExitCode::SUCCESS
}

/// Lines of stdin, read ahead; the process ends when there are no more.
fn read_stdin() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    receiver
}

fn load(start: &Start) -> Result<Box<dyn Engine>, Unusable> {
    match &start.engine {
        EngineChoice::Scripted(script) => match ScriptedEngine::load(script.clone(), &start.setting) {
            Ok(engine) => Ok(Box::new(engine)),
            Err(reason) => Err(Unusable::Wrong(reason)),
        },
        EngineChoice::Mistral => match &start.load.source {
            ModelSource::Endpoint(endpoint) => {
                let engine = OpenAiEngine::load(endpoint, Patience::within(start.item_timeout))?;
                Ok(Box::new(engine.named(&start.setting)))
            }
            ModelSource::Directory(_)
            | ModelSource::Hub { .. }
            | ModelSource::Gguf { .. }
            | ModelSource::Uqff { .. }
            | ModelSource::Checkpoint { .. }
            | ModelSource::Adapted { .. } => load_mistral(start).map_err(Unusable::Wrong),
        },
    }
}

#[cfg(feature = "engine")]
fn load_mistral(start: &Start) -> Result<Box<dyn Engine>, String> {
    let engine = crate::engine::MistralEngine::load(&start.load).map_err(|e| e.to_string())?.named(&start.setting);
    engine.take_thread_pool(start.load.threads);
    Ok(Box::new(engine))
}

#[cfg(not(feature = "engine"))]
fn load_mistral(_start: &Start) -> Result<Box<dyn Engine>, String> {
    Err("this build has no mistral.rs engine; build with the feature `engine`".to_owned())
}

/// From here on a panic on any thread ends the process: an engine that panicked cannot be trusted with the next
/// item, and the supervisor starts a fresh one.
fn end_at_panic() {
    std::panic::set_hook(Box::new(|info| {
        reply(&Reply::Broken { reason: panic_text(info.payload()) });
        std::process::exit(BROKEN);
    }));
}

/// A supervisor that is gone needs no reply; the end of stdin ends this process.
fn reply(reply: &Reply) {
    let _ = write_reply(&mut std::io::stdout().lock(), reply);
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

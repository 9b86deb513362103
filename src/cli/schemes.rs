//! `quantbias schemes`.

use super::show::screen;
use super::{note, say};
use crate::engine::checkpoint::Method;
use crate::engine::format::Format;
use crate::engine::load::{LoadSetting, ModelFiles};
use crate::engine::realised::realise;
use crate::engine::{Mode, Realised};
use crate::pipeline::{Failure, exit};
use crate::report::terminal::table::{Kind, Table};
use crate::spec::{Dtype, ModelSource, QuantScheme};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// List the quantization schemes, what they become for a model, and which files can be settings.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quantbias schemes --model /models/Llama-3.2-1B-Instruct")]
pub(super) struct Schemes {
    /// A model directory: what each scheme becomes for it.
    #[arg(long)]
    model: Option<PathBuf>,
    /// As a table, or as JSON with every tensor format.
    #[arg(long, value_enum, default_value = "text")]
    format: Shape,
    /// Columns; default: those of the terminal, or 80.
    #[arg(long, value_parser = clap::value_parser!(u16).range(20..))]
    width: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Text,
    Json,
}

/// One scheme, for a model if there is one.
struct Row {
    scheme: QuantScheme,
    realised: Option<Result<Realised, String>>,
}

pub(super) fn run(args: &Schemes) -> Result<u8, Failure> {
    let files = match args.model.as_deref().map(ModelFiles::inspect).transpose() {
        Ok(files) => files,
        Err(error) => {
            note!("error: {error}");
            return Ok(exit::MODEL);
        }
    };
    let realised = |scheme: QuantScheme| {
        let files = files.as_ref()?;
        Some(realise(files, &setting(&files.directory, scheme)).map_err(|e| e.to_string()))
    };
    let rows: Vec<Row> = QuantScheme::ALL.iter().map(|s| Row { scheme: *s, realised: realised(*s) }).collect();
    match args.format {
        Shape::Json => {
            let found = json!({ "schemes": rows.iter().map(Row::json).collect::<Vec<_>>(), "files": kinds_json() });
            say!("{found:#}");
        }
        Shape::Text => {
            let width = screen(args.width).width;
            for line in text(&rows, files.is_some(), width) {
                say!("{line}");
            }
        }
    }
    Ok(exit::DONE)
}

fn setting(directory: &Path, scheme: QuantScheme) -> LoadSetting {
    LoadSetting {
        source: ModelSource::Directory(directory.to_owned()),
        scheme,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".to_owned(),
        mode: Mode::Score,
        threads: 1,
    }
}

impl Row {
    fn format(&self) -> Format {
        Format::requested(self.scheme, Dtype::F32)
    }

    /// `4 bit, 256`: what a weight is, and how many share scales.
    fn weights(&self) -> String {
        let format = self.format();
        match format.block() {
            1 => format.element().to_owned(),
            block => format!("{}, {block}", format.element()),
        }
    }

    fn cuda(&self) -> String {
        if self.format().on_cuda() {
            short(self.format().activation("cuda").unwrap_or("none"))
        } else {
            "no".to_owned()
        }
    }

    /// Cells of the table; the last one says what was realised, or that it is refused.
    fn cells(&self) -> Vec<String> {
        let bits = |bits: Option<f64>| bits.map_or_else(|| "—".to_owned(), |b| format!("{b:.3}"));
        let mut cells = vec![self.scheme.name().to_owned(), self.weights()];
        match &self.realised {
            None => {
                let cpu = short(self.format().activation("cpu").unwrap_or("none"));
                cells.extend([bits(Some(self.format().nominal_bits())), cpu, self.cuda()]);
            }
            Some(Ok(r)) => {
                let formats = r.quantized.iter().map(|t| format!("{} {}", t.tensors, t.format)).collect::<Vec<_>>();
                cells.extend([bits(r.bits_per_weight), bits(r.bits_per_weight_model), short(&r.activations)]);
                cells.extend([self.cuda(), formats.join(" + ")]);
            }
            Some(Err(_)) => {
                let cells_without = ["—", "—", "—"].map(str::to_owned);
                cells.extend(cells_without);
                cells.extend([self.cuda(), "refused".to_owned()]);
            }
        }
        cells
    }

    fn json(&self) -> Value {
        let format = self.format();
        json!({
            "scheme": self.scheme.name(),
            "weights": { "element": format.element(), "block": format.block(), "nominal_bits": format.nominal_bits() },
            "activations": {
                "cpu": format.activation("cpu").unwrap_or("none"),
                "cuda": format.on_cuda().then(|| format.activation("cuda").unwrap_or("none")),
            },
            "realised": self.realised.as_ref().and_then(|r| r.as_ref().ok()),
            "refused": self.realised.as_ref().and_then(|r| r.as_ref().err()),
        })
    }
}

/// `int8, 256 + 32` for `int8 dynamic, blocks of 256 / int8 dynamic, blocks of 32`.
fn short(activations: &str) -> String {
    let mut words = String::new();
    for part in activations.split(" / ") {
        let part = part.replace(" dynamic", "").replace("blocks of ", "");
        let block = part.strip_prefix("int8, ").filter(|_| words.contains("int8"));
        if !words.is_empty() {
            words.push_str(" + ");
        }
        words.push_str(block.unwrap_or(&part));
    }
    words.replace(", per tensor", "")
}

fn text(rows: &[Row], model: bool, width: usize) -> Vec<String> {
    let heads: &[(&str, Kind)] = if model {
        &[
            ("scheme", Kind::Whole),
            ("weights", Kind::Words),
            ("bits/w", Kind::Number),
            ("model", Kind::Number),
            ("CPU", Kind::Words),
            ("CUDA", Kind::Words),
            ("tensors as realised", Kind::Words),
        ]
    } else {
        &[
            ("scheme", Kind::Whole),
            ("weights", Kind::Words),
            ("bits/w", Kind::Number),
            ("CPU", Kind::Words),
            ("CUDA", Kind::Words),
        ]
    };
    let mut table = Table::new(heads.iter().map(|(head, kind)| ((*head).to_owned(), *kind)).collect());
    for row in rows {
        table.push(row.cells());
    }
    let mut lines = table.lines(width, &|_, _, text| text.to_owned());
    let legend = "weights: what each is, and how many share scales. CPU, CUDA: what a product does to activations \
                  there; int8, 256 is rounding to 8 bits in blocks of 256. This build runs on the CPU, and takes all that is not refused. bits/w: per weight \
                  of the linear layers, scales included; model: over all weights.";
    lines.push(String::new());
    lines.extend(wrap(legend, width, ""));
    lines.extend(shared_head(rows, width));
    lines.extend(notes(rows, width));
    if !model {
        lines.push(String::new());
        lines.extend(wrap("With --model DIR: what each becomes for that model.", width, ""));
        lines.extend(kinds(width));
    }
    lines
}

/// Why bits per weight of the whole model may be more than those of any format.
fn shared_head(rows: &[Row], width: usize) -> Vec<String> {
    let copied = |r: &Realised| {
        let all = || r.quantized.iter().chain(&r.untouched);
        let (held, bytes) = (all().map(|t| t.weights).sum::<u64>(), all().map(|t| t.bytes).sum::<u64>());
        // Weights that are held twice count once.
        r.bits_per_weight_model.is_some_and(|bits| 8.0 * bytes as f64 / (held as f64) < bits * (1.0 - 1e-9))
    };
    if !rows.iter().any(|row| matches!(&row.realised, Some(Ok(r)) if copied(r))) {
        return Vec::new();
    }
    let note = "This model's head shares the weights of the embeddings. A scheme gives the head a copy of its own, and the \
                embeddings stay as they are: under model, the bits of both are counted, and the weights once. That can be \
                more than without a scheme.";
    let mut lines = vec![String::new()];
    lines.extend(wrap(note, width, ""));
    lines
}

/// What was refused, and where name and realisation differ; schemes with the same note together.
fn notes(rows: &[Row], width: usize) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        let own = match &row.realised {
            Some(Ok(realised)) => realised.deviations.clone(),
            Some(Err(why)) => vec![format!("refused: {}", without_scheme(why, row.scheme))],
            None => Vec::new(),
        };
        for note in own {
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, schemes)) => schemes.push(row.scheme.name()),
                None => notes.push((note, vec![row.scheme.name()])),
            }
        }
    }
    let mut lines = Vec::new();
    if !notes.is_empty() {
        lines.push(String::new());
    }
    for (note, schemes) in notes {
        lines.extend(wrap(&format!("{}: {note}", schemes.join(", ")), width, "  "));
    }
    lines
}

fn without_scheme(why: &str, scheme: QuantScheme) -> String {
    why.strip_prefix(&format!("scheme {} on cpu: ", scheme.name())).unwrap_or(why).to_owned()
}

/// Files that can be settings, and whether this build runs them.
fn kinds_list() -> Vec<(&'static str, &'static str, Result<(), String>)> {
    let method = |method: &Method| method.on_cpu();
    let imatrix = "collect one with llama.cpp's llama-imatrix, and name that as `imatrix`";
    vec![
        ("GGUF file", "gguf = FILE", Ok(())),
        ("UQFF file", "uqff = FILE", Ok(())),
        ("float8 checkpoint, blocks", "path = DIR", method(&Method::Float8Blocks(128, 128))),
        ("float8 checkpoint, tensor", "path = DIR", method(&Method::Float8Tensor)),
        ("AFQ (MLX) checkpoint", "path = DIR", method(&Method::Afq(4, 64))),
        ("GPTQ checkpoint", "path = DIR", method(&Method::Gptq(4, 128))),
        ("AWQ checkpoint", "path = DIR", method(&Method::Awq(4, 128))),
        ("bitsandbytes, 4 bit", "path = DIR", method(&Method::Bitsandbytes4("nf4".to_owned()))),
        ("bitsandbytes, 8 bit", "path = DIR", method(&Method::Bitsandbytes8)),
        ("MXFP4 checkpoint", "path = DIR", method(&Method::Mxfp4)),
        ("low-rank adapter", "adapter = DIR", Ok(())),
        ("topology", "topology = FILE", Ok(())),
        ("importance matrix", "imatrix = FILE", Ok(())),
        (
            "calibration text",
            "calibration = FILE",
            Err(format!("mistral.rs 0.8.1 reads it and leaves every weight unquantized; {imatrix}")),
        ),
        ("float16", "dtype = \"f16\"", Ok(())),
        ("bfloat16", "dtype = \"bf16\"", Err("candle has no bf16 product on the CPU; bf16 files are fine".to_owned())),
        ("model behind a server", "endpoint = { … }", Ok(())),
    ]
}

fn kinds(width: usize) -> Vec<String> {
    let heads = [("[[setting]]", Kind::Whole), ("named as", Kind::Whole), ("here", Kind::Whole)];
    let mut table = Table::new(heads.map(|(head, kind)| (head.to_owned(), kind)).into());
    let list = kinds_list();
    for (kind, key, runs) in &list {
        table.push(vec![(*kind).to_owned(), (*key).to_owned(), if runs.is_ok() { "yes" } else { "no" }.to_owned()]);
    }
    let mut lines = vec![String::new()];
    lines.extend(table.lines(width, &|_, _, text| text.to_owned()));
    for (kind, _, runs) in &list {
        if let Err(why) = runs {
            lines.push(String::new());
            lines.extend(wrap(&format!("{kind}: {why}"), width, "  "));
        }
    }
    lines
}

fn kinds_json() -> Vec<Value> {
    let list = kinds_list().into_iter();
    list.map(|(kind, key, runs)| json!({ "kind": kind, "key": key, "cpu": runs.is_ok(), "why": runs.err() })).collect()
}

/// Lines of whole words of at most `width`; all but the first are indented.
fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |l| l.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(format!("{indent}{word}"));
        } else if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

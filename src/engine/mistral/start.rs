//! Building mistral.rs' pipeline and engine thread for a setting, and taking the thread pool over.

use super::{Shared, first_line, topology};
use crate::engine::load::{LoadError, LoadSetting, ModelFiles};
use crate::engine::panic_text;
use crate::spec::QuantScheme;
use crate::spec::setting::{ADAPTER_FILES, Dtype, Guide, ModelSource, uqff_parts};
use mistralrs::core::{
    AdapterPaths, AutoDeviceMapParams, DefaultSchedulerMethod, DeviceMapSetting, GGUFLoaderBuilder, GGUFSpecificConfig,
    LocalModelPaths, LoraAdapterPaths, MistralRsBuilder, ModelPaths, NormalLoaderBuilder, NormalSpecificConfig,
    SchedulerConfig, TokenSource,
};
use mistralrs::{
    AnyModelBuilder, Device, IsqType, MistralRs, ModelDType, NormalRequest, Request, RequestMessage, SamplingParams,
    TextModelBuilder, Topology, UqffTextModelBuilder,
};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Builds the pipeline and the engine thread on a thread of their own, so that a panic stays there.
pub(super) fn start(
    setting: &LoadSetting,
    files: &ModelFiles,
    model: &str,
) -> Result<(Shared, Arc<MistralRs>), LoadError> {
    let setting = setting.clone();
    let files = files.clone();
    let threads = setting.threads as usize;
    let build = move || -> Result<(Shared, Arc<MistralRs>), String> {
        // A pool of its own keeps loading away from the global pool, which the engine thread takes over later.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| e.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        pool.install(|| {
            runtime.block_on(async {
                let pipeline = pipeline(&setting, &files).await?;
                // One sequence at a time, so that a step never mixes two.
                let method = DefaultSchedulerMethod::Fixed(NonZeroUsize::MIN);
                let scheduler = SchedulerConfig::DefaultScheduler { method };
                let runner = MistralRsBuilder::new(pipeline.clone(), scheduler, false, None)
                    .with_no_prefix_cache(true)
                    .with_prefix_cache_n(0)
                    .build()
                    .await;
                Ok((pipeline, runner))
            })
        })
    };
    let failed = |why: String| LoadError::Engine { model: model.to_owned(), why };
    let thread = std::thread::Builder::new().name("load".to_owned()).spawn(build).map_err(|e| failed(e.to_string()))?;
    match thread.join() {
        Ok(built) => built.map_err(|why| failed(first_line(&why))),
        Err(payload) => Err(LoadError::Panicked { model: model.to_owned(), why: panic_text(&*payload) }),
    }
}

fn engine_dtype(dtype: Dtype) -> ModelDType {
    match dtype {
        Dtype::F32 => ModelDType::F32,
        Dtype::Bf16 => ModelDType::BF16,
        Dtype::F16 => ModelDType::F16,
    }
}

/// A GGUF file with the tokenizer and chat template of a model directory. mistral.rs' builder takes no dtype and would
/// compute in f16 on the CPU, so its loader is called directly.
fn gguf(file: &Path, directory: &Path, dtype: Dtype) -> Result<Shared, String> {
    let folder = file.parent().unwrap_or_else(|| Path::new(".")).display().to_string();
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let config = GGUFSpecificConfig::default();
    let tokenizer = Some(directory.display().to_string());
    let loader = GGUFLoaderBuilder::new(None, tokenizer, folder, vec![name], config, false, None).build();
    let mapping = DeviceMapSetting::Auto(AutoDeviceMapParams::default_text());
    let loaded = loader.load_model_from_hf(
        None,
        TokenSource::None,
        &engine_dtype(dtype),
        &Device::Cpu,
        true,
        mapping,
        None,
        None,
    );
    loaded.map(|pipeline| pipeline as Shared).map_err(|e| format!("{e:#}"))
}

/// The model as mistral.rs loads it.
async fn pipeline(setting: &LoadSetting, files: &ModelFiles) -> Result<Shared, String> {
    let theirs = match &setting.guide {
        Some(Guide::Topology(path)) => {
            let topology = topology::read(path).map_err(|e| e.to_string())?;
            Some(topology::by_name(&topology, files)?)
        }
        Some(Guide::Imatrix(_) | Guide::Calibration(_)) | None => None,
    };
    match &setting.source {
        ModelSource::Gguf { file, .. } => gguf(file, &files.directory, setting.dtype),
        ModelSource::Adapted { adapter, .. } => adapted(adapter, setting, files, theirs),
        ModelSource::Directory(_)
        | ModelSource::Hub { .. }
        | ModelSource::Checkpoint { .. }
        | ModelSource::Uqff { .. }
        | ModelSource::Endpoint(_) => {
            let built = AnyModelBuilder::from(builder(setting, files, theirs)).build_pipeline().await;
            Ok(built.map_err(|e| format!("{e:#}"))?.0)
        }
    }
}

fn builder(setting: &LoadSetting, files: &ModelFiles, topology: Option<Topology>) -> TextModelBuilder {
    let dtype = engine_dtype(setting.dtype);
    let mut builder = match &setting.source {
        ModelSource::Uqff { file, .. } => {
            // Taken relative to the model's directory, so that it must be absolute.
            let absolute = |path| std::path::absolute(&path).unwrap_or(path);
            let parts = uqff_parts(file).into_iter().map(absolute).collect();
            UqffTextModelBuilder::new(files.directory.display(), parts).into_inner()
        }
        _ => TextModelBuilder::new(files.directory.display()),
    };
    builder = builder.with_dtype(dtype).with_prefix_cache_n(None).with_max_num_seqs(1);
    if setting.device == "cpu" {
        builder = builder.with_force_cpu();
    }
    if let Some(topology) = topology {
        builder = builder.with_topology(topology);
    }
    builder = match &setting.guide {
        Some(Guide::Imatrix(path)) => builder.with_imatrix(path.clone()),
        Some(Guide::Calibration(path)) => builder.with_calibration_file(path.clone()),
        Some(Guide::Topology(_)) | None => builder,
    };
    match isq(setting.scheme) {
        Some(isq) => builder.with_isq(isq),
        None => builder,
    }
}

/// A model with an adapter merged into its weights. mistral.rs' builder looks for adapters on the hub only, so its
/// loader is called directly, with the paths of local files.
fn adapted(
    adapter: &Path,
    setting: &LoadSetting,
    files: &ModelFiles,
    topology: Option<Topology>,
) -> Result<Shared, String> {
    let at = |name: &str| files.directory.join(name);
    let here = |name: &str| Some(at(name)).filter(|path| path.exists());
    let [config, weights] = ADAPTER_FILES.map(|name| adapter.join(name));
    let text = std::fs::read_to_string(&config).map_err(|e| format!("{}: {e}", config.display()))?;
    let lora_config = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", config.display()))?;
    let specific = NormalSpecificConfig { topology, ..NormalSpecificConfig::default() };
    let model = files.directory.display().to_string();
    let guide = match &setting.guide {
        Some(Guide::Imatrix(path)) => Some(path.clone()),
        Some(Guide::Topology(_) | Guide::Calibration(_)) | None => None,
    };
    let specific = NormalSpecificConfig { imatrix: guide, ..specific };
    let loader = NormalLoaderBuilder::new(specific, None, None, Some(model), false, None)
        .with_lora(vec![adapter.display().to_string()])
        .build(None)
        .map_err(|e| format!("{e:#}"))?;
    let paths: Box<dyn ModelPaths> = Box::new(LocalModelPaths {
        tokenizer_filename: at("tokenizer.json"),
        config_filename: at("config.json"),
        template_filename: here("chat_template.jinja").or_else(|| here("tokenizer_config.json")),
        filenames: files.weights().into_iter().map(at).collect(),
        adapter_paths: AdapterPaths::Lora(vec![LoraAdapterPaths { lora_config, adapter_path: weights }]),
        gen_conf: here("generation_config.json"),
        preprocessor_config: None,
        processor_config: None,
        chat_template_json_filename: here("chat_template.json"),
    });
    let loaded = loader.load_model_from_path(
        &paths,
        &engine_dtype(setting.dtype),
        &Device::Cpu,
        true,
        DeviceMapSetting::Auto(AutoDeviceMapParams::default_text()),
        isq(setting.scheme),
        None,
    );
    loaded.map(|pipeline| pipeline as Shared).map_err(|e| format!("{e:#}"))
}

/// mistral.rs' name of a scheme; never a bare number of bits.
pub(super) fn isq(scheme: QuantScheme) -> Option<IsqType> {
    Some(match scheme {
        QuantScheme::None | QuantScheme::Given => return None,
        QuantScheme::Q4_0 => IsqType::Q4_0,
        QuantScheme::Q4_1 => IsqType::Q4_1,
        QuantScheme::Q5_0 => IsqType::Q5_0,
        QuantScheme::Q5_1 => IsqType::Q5_1,
        QuantScheme::Q8_0 => IsqType::Q8_0,
        QuantScheme::Q8_1 => IsqType::Q8_1,
        QuantScheme::Q2K => IsqType::Q2K,
        QuantScheme::Q3K => IsqType::Q3K,
        QuantScheme::Q4K => IsqType::Q4K,
        QuantScheme::Q5K => IsqType::Q5K,
        QuantScheme::Q6K => IsqType::Q6K,
        QuantScheme::Q8K => IsqType::Q8K,
        QuantScheme::Hqq4 => IsqType::HQQ4,
        QuantScheme::Hqq8 => IsqType::HQQ8,
        QuantScheme::F8e4m3 => IsqType::F8E4M3,
        QuantScheme::F8q8 => IsqType::F8Q8,
        QuantScheme::Afq2 => IsqType::AFQ2,
        QuantScheme::Afq3 => IsqType::AFQ3,
        QuantScheme::Afq4 => IsqType::AFQ4,
        QuantScheme::Afq6 => IsqType::AFQ6,
        QuantScheme::Afq8 => IsqType::AFQ8,
        QuantScheme::Mxfp4 => IsqType::MXFP4,
    })
}

/// Makes the engine thread a member of rayon's global pool.
///
/// candle's quantized product enters that pool once per row; from a thread outside, every entry is a hand-over to
/// another thread and back. The engine thread is not ours, but it wakes the receiver of its responses itself, so a
/// waker of ours runs there: it builds the pool with `use_current_thread`. An empty prompt is refused by mistral.rs
/// without touching the model, which is the response that is waited for. Where the pool exists already (a second
/// engine in one process) nothing changes but speed.
pub(super) fn adopt_thread_pool(engine: &mpsc::Sender<Request>, threads: usize) {
    struct Adopt {
        threads: usize,
        done: std::sync::mpsc::Sender<()>,
    }
    impl std::task::Wake for Adopt {
        fn wake(self: Arc<Self>) {
            // Only the first pool counts; the error of a second one says just that.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(self.threads).use_current_thread().build_global();
            let _ = self.done.send(());
        }
    }
    let (done, adopted) = std::sync::mpsc::channel();
    let (sender, mut receiver) = mpsc::channel(1);
    let waker = Arc::new(Adopt { threads, done }).into();
    if receiver.poll_recv(&mut std::task::Context::from_waker(&waker)).is_ready() {
        return;
    }
    let empty = RequestMessage::CompletionTokens(Vec::new());
    let request = NormalRequest::new_simple(empty, SamplingParams::deterministic(), sender, 0, None, None);
    if engine.blocking_send(Request::Normal(Box::new(request))).is_ok() {
        let _ = adopted.recv_timeout(std::time::Duration::from_secs(10));
    }
}

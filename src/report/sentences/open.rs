//! Sentences about what gates leave open: gates that could not be judged. What is not known is said to be not known.

use super::list;
use crate::report::names::Names;
use crate::report::number::counted;

/// Why nothing was gated: no margin, or no setting that could be judged by it.
pub(super) fn ungated(names: Names<'_>) -> String {
    let f = names.findings;
    let mut titles: Vec<String> = Vec::new();
    for (benchmark, _) in f.plan.margins.keys().filter_map(|key| key.split_once('/')) {
        let title = names.benchmark_title(benchmark);
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    if titles.is_empty() {
        return "No gate was set: no margin was declared for any benchmark.".to_owned();
    }
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let refused = &f.audit.refused;
    let why = if refused.is_empty() {
        "no quantized setting was asked that they hold for".to_owned()
    } else {
        let room = 3;
        let mut why: Vec<String> = refused
            .iter()
            .take(room)
            .map(|r| format!("{} ({})", r.id, r.reason.trim().trim_end_matches('.')))
            .collect();
        if refused.len() > room {
            why.push(counted((refused.len() - room) as u64, "more setting"));
        }
        format!("settings could not run: {}", list(&why.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    format!("The gates on {} could not be judged, because {why}.", list(&titles))
}

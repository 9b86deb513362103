//! How a worker died, and how much that weighs against the item or the setting that it was at.

use super::memory;
use super::process::KILLED;

/// An item, or the loading of a setting, is given up after deaths that weigh so much: two of the engine's own
/// making, or five by a kill from outside, of which the item is probably innocent.
pub(super) const LIMIT: u32 = 10;

/// How a worker died.
#[derive(Debug)]
pub(super) struct Death {
    pub(super) reason: String,
    pub(super) weight: u32,
    /// Whether it was for want of memory.
    pub(super) memory: bool,
    /// Whether nothing that the engine did shows in it: a kill from outside, or time that ran out.
    pub(super) outside: bool,
}

impl Death {
    /// By what the engine did.
    pub(super) fn own(reason: String) -> Self {
        let memory = memory::is_named_in(&reason);
        Self { reason, weight: 5, memory, outside: false }
    }

    /// As the process ended, or by the panic that it told of. `stderr`: its last words; `kills`: how often the kernel
    /// had killed for want of memory before it was started.
    pub(super) fn of(end: &str, broken: Option<String>, stderr: &str, kills: Option<u64>) -> Self {
        let killed = end == KILLED;
        let memory = memory::is_named_in(stderr) || (killed && memory::kernel_kills() > kills);
        let of_what = if memory { "out of memory, " } else { "" };
        match broken {
            Some(reason) => Self::own(format!("engine: it broke: {reason}")),
            None if killed && !memory => {
                Self { reason: format!("engine: its process ended: {end}"), weight: 2, memory: false, outside: true }
            }
            None => Self { memory, ..Self::own(format!("engine: {of_what}its process ended: {end}")) },
        }
    }
}

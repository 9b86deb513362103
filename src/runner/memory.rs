//! Signs of exhausted memory: what an engine or an allocator says, and what the kernel counts.

/// Whether a text says that memory ran out: Rust's and C++'s allocators, the C library, CUDA, Metal.
pub(super) fn is_named_in(text: &str) -> bool {
    let text = text.to_lowercase();
    let allocator = text.contains("memory allocation of") && text.contains("failed");
    let said = ["out of memory", "outofmemory", "out_of_memory", "cannot allocate memory", "bad_alloc"];
    allocator || said.iter().any(|words| text.contains(words))
}

/// How often the kernel has killed a process for want of memory, in any control group, since the machine started
/// (Linux). A worker that was killed while this grew was most likely one of them.
pub(super) fn kernel_kills() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/vmstat").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::is_named_in;

    #[test]
    fn allocators_and_devices_are_understood_and_other_errors_are_not_taken_for_them() {
        for text in [
            "memory allocation of 268435456 bytes failed",
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "Cannot allocate memory (os error 12)",
        ] {
            assert!(is_named_in(text), "{text}");
        }
        for text in ["", "index out of range", "the memory of a king", "shape mismatch: allocation of ranks failed"] {
            assert!(!is_named_in(text), "{text}");
        }
    }
}

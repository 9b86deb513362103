//! What can be wrong with a run directory.

use std::path::PathBuf;

/// Why a run directory cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// Reading failed.
    #[error("cannot read: {0}\nhelp: see that it is there, of the right kind, and may be read")]
    Read(std::io::Error),
    /// Writing failed (read-only, full, vanished).
    #[error("cannot write: {0}\nhelp: free space or choose another folder with --out; what was written so far is kept")]
    Write(std::io::Error),
    /// A file is not what the format says.
    #[error("{path} is not readable as {what}: {why}\nhelp: restore the file, or run again in another folder", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Another format version.
    #[error("{path} has format {found}, and this release reads {ours}\nhelp: use the release of quantbias that wrote it", path = path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// Ours.
        ours: &'static str,
    },
    /// The folder holds a run of another identity.
    #[error(
        "{path} holds another run: {differences}\nhelp: choose another folder with --out, or remove this one",
        path = path.display()
    )]
    OtherIdentity {
        /// The folder.
        path: PathBuf,
        /// What differs, in words.
        differences: String,
    },
    /// The folder holds an unfinished run and `--resume` was not given.
    #[error("{path} holds an unfinished run\nhelp: go on with --resume, or choose another folder with --out", path = path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds other files.
    #[error("{path} exists, is not empty, and is not a run directory\nhelp: choose another folder with --out", path = path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// There is no run directory.
    #[error("{path} is not a run directory: it has no manifest.json\nhelp: name a folder that `quantbias run` made", path = path.display())]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// Another process works on it.
    #[error("{path} is in use by another quantbias process\nhelp: wait for it, or choose another folder with --out", path = path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A file differs from what the manifest says.
    #[error(
        "{path} was altered after the run: SHA-256 is {found}, the manifest says {expected}\nhelp: restore the file, or run again in another folder",
        path = path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// SHA-256 in the manifest.
        expected: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// A file that the manifest names is not there, or one is there that it does not name.
    #[error("{path} {what}\nhelp: restore the run directory, or run again in another folder", path = path.display())]
    Inventory {
        /// The file.
        path: PathBuf,
        /// `is missing` or `is not in the manifest`.
        what: &'static str,
    },
    /// The run is not complete.
    #[error("{path} is not complete: {missing} of {planned} records are missing\nhelp: go on with `run --resume`, or, where parts were joined, merge the missing parts", path = path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// Records missing.
        missing: u64,
        /// Records planned.
        planned: u64,
    },
}

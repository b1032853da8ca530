//! Who writes into a results folder: one at a time.
//!
//! A hidden file beside the folder is locked as long as the work goes on; the system lets go of it
//! with the process, however that ends. It names its owner, and is removed at the end.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::staging::{FilesError, at, beside};

/// The right to write into a results folder.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    /// `None` where the file system knows no locks.
    file: Option<File>,
}

impl FolderLock {
    /// Takes the folder `target` for this process, which does `what`; its parent is made if it is
    /// not there.
    ///
    /// # Errors
    /// Another process has it, or those of the file system.
    pub fn take(target: &Path, what: &str) -> Result<Self, FilesError> {
        let path = beside(target, "lock");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let owner = format!("brownout {what}, process {}", std::process::id());
        loop {
            let mut open = OpenOptions::new();
            let file = open.read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = file.map_err(at(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let owner = fs::read_to_string(&path).unwrap_or_default();
                    return Err(FilesError::Busy { place: target.to_owned(), owner });
                }
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(FolderLock { path, file: None });
                }
                Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
            }
            write(&mut file, &owner).map_err(at(&path))?;
            // Whoever had it may have removed the file between the opening and the locking.
            match fs::read_to_string(&path) {
                Ok(text) if text != owner => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                _ => return Ok(FolderLock { path, file: Some(file) }),
            }
        }
    }

    /// The file that is locked.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Before the file is closed: nobody else has it.
        let _ = fs::remove_file(&self.path);
        drop(self.file.take());
    }
}

fn write(file: &mut File, owner: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(owner.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_works_at_a_time_and_the_other_is_named() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("results").join("small");
        let lock = FolderLock::take(&target, "run small.toml").unwrap();
        let refused = FolderLock::take(&target, "run small.toml").unwrap_err().to_string();
        let owner = format!("brownout run small.toml, process {}", std::process::id());
        assert!(refused.contains(&owner) && refused.contains("--name"), "{refused}");
        assert!(FolderLock::take(&root.path().join("results/other"), "run").is_ok());
        drop(lock);
        assert_eq!(fs::read_dir(root.path().join("results")).unwrap().count(), 0);
        assert!(FolderLock::take(&target, "run small.toml").is_ok());
    }

    #[test]
    fn the_lock_of_a_process_that_was_killed_is_no_lock() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("small");
        fs::write(root.path().join(".small.lock"), "brownout run, process 1").unwrap();
        let lock = FolderLock::take(&target, "sweep").unwrap();
        assert!(fs::read_to_string(lock.path()).unwrap().starts_with("brownout sweep"));
    }
}

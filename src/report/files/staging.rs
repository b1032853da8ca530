//! The results directory. It is built beside its place and moved there when it is complete, so a
//! run that fails or is refused leaves earlier results as they were.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::report::manifest::{Manifest, ManifestError, SCHEMAS};

/// The file by which a directory is known to hold results.
pub const MARK: &str = "manifest.json";
/// The endings of all files that a run writes.
const ENDINGS: [&str; 5] = ["txt", "json", "csv", "svg", "png"];

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The place is taken by something that this program did not write.
    #[error("{0} holds something that is no result of a run; choose another directory or empty it")]
    Taken(PathBuf),
    /// The place holds results whose manifest this version cannot read.
    #[error(
        "{0} holds results that another version of brownout wrote, which would be lost\n  = help: \
         remove them, or choose another directory with --output"
    )]
    OtherVersion(PathBuf),
    /// The place holds results of another kind of work.
    #[error(
        "{place} holds the results of brownout {kind}, which would be lost\n  = help: choose \
         another directory with --output, or a study's folder with --name"
    )]
    OtherKind {
        /// Where.
        place: PathBuf,
        /// The command that wrote them.
        kind: String,
    },
    /// The operating system refused.
    #[error("cannot write {path}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    move |source| FilesError::Io { path: path.to_owned(), source }
}

/// A results directory in the making. Dropped without [`Staging::publish`], it leaves nothing.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    place: PathBuf,
    names: Vec<String>,
}

impl Staging {
    /// Prepares the directory `target` for the results of a command, such as `run`: best before
    /// the work starts, so that a place that cannot be written costs no work.
    ///
    /// # Errors
    /// `target` is taken by something else or by results of another command, or its parent cannot
    /// be written.
    pub fn prepare(target: &Path, command: &str) -> Result<Self, FilesError> {
        match held(target).map_err(at(target))? {
            Held::Nothing => {}
            Held::Results(kind) if kind == command => {}
            Held::Results(kind) => {
                return Err(FilesError::OtherKind { place: target.to_owned(), kind });
            }
            Held::OtherVersion => return Err(FilesError::OtherVersion(target.to_owned())),
            Held::Other => return Err(FilesError::Taken(target.to_owned())),
        }
        let place = sibling(target, "new");
        if place.exists() {
            fs::remove_dir_all(&place).map_err(at(&place))?;
        }
        fs::create_dir_all(&place).map_err(at(&place))?;
        Ok(Staging { target: target.to_owned(), place, names: Vec::new() })
    }

    /// Where the files are until they are published.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Writes one file.
    ///
    /// # Errors
    /// Those of the file system and of `write`.
    pub fn add(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FilesError> {
        let path = self.place.join(name);
        let file = File::create(&path).map_err(at(&path))?;
        let mut out = BufWriter::new(file);
        write(&mut out).and_then(|()| out.flush()).map_err(at(&path))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Moves the directory to its place and gives the names of its files.
    ///
    /// # Errors
    /// Those of the file system; earlier results are then back in their place.
    pub fn publish(mut self) -> Result<Vec<String>, FilesError> {
        let old = sibling(&self.target, "old");
        if old.exists() {
            fs::remove_dir_all(&old).map_err(at(&old))?;
        }
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).map_err(at(&self.target))?;
        }
        if let Err(source) = fs::rename(&self.place, &self.target) {
            if replaces {
                fs::rename(&old, &self.target).map_err(at(&self.target))?;
            }
            return Err(at(&self.target)(source));
        }
        if replaces {
            fs::remove_dir_all(&old).map_err(at(&old))?;
        }
        Ok(std::mem::take(&mut self.names))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After publishing there is nothing left to remove.
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// What a directory holds.
enum Held {
    Nothing,
    /// Results of this command, and nothing else.
    Results(String),
    /// Results that this version cannot read.
    OtherVersion,
    Other,
}

fn held(target: &Path) -> io::Result<Held> {
    if fs::symlink_metadata(target).is_err() {
        return Ok(Held::Nothing);
    }
    if !target.is_dir() {
        return Ok(Held::Other);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(target)? {
        names.push(PathBuf::from(entry?.file_name()));
    }
    if names.is_empty() {
        return Ok(Held::Nothing);
    }
    let manifest = fs::read_to_string(target.join(MARK)).unwrap_or_default();
    Ok(match Manifest::read(&manifest) {
        _ if !names.iter().all(|name| is_ours(name)) => Held::Other,
        Ok(manifest) => Held::Results(manifest.request.command),
        Err(ManifestError::Schema(schema)) if schema.starts_with(SCHEMAS) => Held::OtherVersion,
        Err(_) => Held::Other,
    })
}

/// Whether a file may come from this program, by its ending.
fn is_ours(name: &Path) -> bool {
    let ending = name.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

fn sibling(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::report::manifest::Request;
    use crate::report::sample::scenario;

    fn write(target: &Path, seed: u64) -> Result<Vec<String>, FilesError> {
        let (mut scenario, run) = (scenario(), example::experiment());
        scenario.plan.run.seed = seed;
        let mut staging = Staging::prepare(target, "run")?;
        crate::report::run::files::write_tables(
            &crate::report::Report::new(&scenario, &run, Some(100)),
            &mut staging,
        )?;
        let request = Request { command: "run".to_owned(), options: Vec::new() };
        let manifest = Manifest::new(request, false, &[&scenario], Vec::new());
        staging.add(MARK, |out| manifest.write(out))?;
        staging.publish()
    }

    fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        all.sort();
        all
    }

    #[test]
    fn writing_twice_gives_the_same_bytes_and_leaves_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("results").join("one-crash");
        let names = write(&target, 1).unwrap();
        assert_eq!(names.len(), 5);
        let before = contents(&target);
        write(&target, 1).unwrap();
        assert_eq!(contents(&target), before);
        assert_eq!(fs::read_dir(root.path().join("results")).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_run_leaves_earlier_results_untouched() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        let before = contents(&target);
        let mut staging = Staging::prepare(&target, "run").unwrap();
        let failed = staging.add("summary.json", |_| Err(io::Error::other("disk full")));
        let FilesError::Io { path, source } = failed.unwrap_err() else { unreachable!() };
        assert!(path.ends_with("summary.json") && source.to_string() == "disk full");
        drop(staging);
        assert_eq!(contents(&target), before);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_of_something_else_is_never_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(write(root.path(), 1), Err(FilesError::Taken(_))));
        let file = root.path().join("thesis.txt");
        assert!(matches!(write(&file, 1), Err(FilesError::Taken(_))));
        assert_eq!(fs::read_to_string(file).unwrap(), "years of work");
    }

    #[test]
    fn results_of_another_command_are_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        let refused = Staging::prepare(&target, "compare").unwrap_err();
        assert!(refused.to_string().contains("the results of brownout run, which would be lost"));
        assert!(Staging::prepare(&target, "run").is_ok());
    }

    #[test]
    fn results_of_another_version_are_told_apart_and_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        fs::write(target.join(MARK), r#"{"schema": "brownout/manifest/1"}"#).unwrap();
        let refused = Staging::prepare(&target, "run").unwrap_err();
        assert!(refused.to_string().contains("another version of brownout wrote"), "{refused}");
    }

    #[test]
    fn notes_among_results_keep_them_from_being_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        fs::write(target.join("notes.md"), "what I saw").unwrap();
        assert!(matches!(write(&target, 2), Err(FilesError::Taken(_))));
    }
}

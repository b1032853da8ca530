//! The results directory. It is built beside its place and moved there when it is complete, so a
//! run that fails or is refused leaves earlier results as they were. Partial results have a place
//! of their own beside it, where complete ones are never replaced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::report::manifest::{Manifest, ManifestError, SCHEMAS, Subject};

/// The file by which a directory is known to hold results.
pub const MARK: &str = "manifest.json";
/// The endings of all files that a run writes.
const ENDINGS: [&str; 10] =
    ["txt", "html", "json", "csv", "svg", "png", "perfetto", "hlog", "xml", "sarif"];
/// What desktops leave in folders that somebody has looked into.
const DESKTOPS: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The place is taken by something that this program did not write.
    #[error("{0} holds something that is no result of a run; choose another directory or empty it")]
    Taken(PathBuf),
    /// The place holds results whose manifest this version cannot read.
    #[error(
        "{0} holds results that another version of brownout wrote, which would be lost\n  = help: \
         choose another folder with --name or directory with --output, or replace them with --force"
    )]
    OtherVersion(PathBuf),
    /// The place holds results of other work.
    #[error(
        "{place} holds the results of brownout {held}, which would be lost\n  = help: choose \
         another folder with --name or directory with --output, or replace them with --force"
    )]
    OtherWork {
        /// Where.
        place: PathBuf,
        /// What they are about.
        held: Box<Subject>,
    },
    /// Another process is about to write there.
    #[error(
        "{place} is being written by another process{}\n  = help: wait until it has ended, or \
         choose another folder with --name or directory with --output",
        if owner.is_empty() { String::new() } else { format!(": {owner}") }
    )]
    Busy {
        /// Where.
        place: PathBuf,
        /// Who that is, if it says.
        owner: String,
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

/// An error of the system at this path.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    move |source| FilesError::Io { path: path.to_owned(), source }
}

/// A results directory in the making. Dropped before it is published, it leaves nothing.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    place: PathBuf,
    names: Vec<String>,
}

/// Where results were put.
#[derive(Debug, PartialEq, Eq)]
pub struct Published {
    /// The directory.
    pub directory: PathBuf,
    /// Its files.
    pub names: Vec<String>,
    /// Whether it holds earlier partial results of the same, because they have more replications.
    pub is_fuller: bool,
}

impl Staging {
    /// Prepares the directory `target` for results on a subject: best before the work starts, so
    /// that a place that cannot be written costs no work. What killed processes left there is
    /// cleared: nobody else may be writing (see [`super::lock`]). `force` = whatever results are
    /// there may be lost.
    ///
    /// # Errors
    /// `target` is taken by something else or by results on something else, or its parent cannot
    /// be written.
    pub fn prepare(target: &Path, subject: &Subject, force: bool) -> Result<Self, FilesError> {
        clear(target)?;
        match held(target).map_err(at(target))? {
            Held::Other => return Err(FilesError::Taken(target.to_owned())),
            Held::OtherVersion if !force => {
                return Err(FilesError::OtherVersion(target.to_owned()));
            }
            Held::Results(manifest) if !force && !manifest.subject().is(subject) => {
                let held = Box::new(manifest.subject());
                return Err(FilesError::OtherWork { place: target.to_owned(), held });
            }
            _ => {}
        }
        let place = beside(target, &format!("new-{}", std::process::id()));
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

    /// Moves the directory to its place, and removes the partial results that it completes.
    ///
    /// # Errors
    /// Those of the file system; earlier results are then back in their place.
    pub fn publish(mut self, manifest: &Manifest) -> Result<Published, FilesError> {
        let partial = partial(&self.target, 1);
        let completes = partial_of(&partial, &manifest.subject()).map_err(at(&partial))?;
        let directory = self.target.clone();
        let published = self.put(directory)?;
        if completes.is_some() {
            fs::remove_dir_all(&partial).map_err(at(&partial))?;
        }
        Ok(published)
    }

    /// Moves the directory to the place of partial results, `NAME.partial`. Those on the same that
    /// have more replications stay; on something else, they stay too, and the place is another.
    ///
    /// # Errors
    /// As [`Staging::publish`].
    pub fn publish_partial(mut self, manifest: &Manifest) -> Result<Published, FilesError> {
        for number in 1.. {
            let place = partial(&self.target, number);
            let there = fs::symlink_metadata(&place).is_ok();
            match partial_of(&place, &manifest.subject()).map_err(at(&place))? {
                None if there => {}
                Some(earlier) if earlier > manifest.replications() => {
                    return Ok(Published { directory: place, names: Vec::new(), is_fuller: true });
                }
                _ => return self.put(place),
            }
        }
        unreachable!("some number is free")
    }

    fn put(&mut self, target: PathBuf) -> Result<Published, FilesError> {
        let old = beside(&self.target, &format!("old-{}", std::process::id()));
        let replaces = target.exists();
        if replaces {
            fs::rename(&target, &old).map_err(at(&target))?;
        }
        if let Err(source) = fs::rename(&self.place, &target) {
            if replaces {
                fs::rename(&old, &target).map_err(at(&target))?;
            }
            return Err(at(&target)(source));
        }
        if replaces {
            fs::remove_dir_all(&old).map_err(at(&old))?;
        }
        let names = std::mem::take(&mut self.names);
        Ok(Published { directory: target, names, is_fuller: false })
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
    /// Results, and nothing else.
    Results(Box<Manifest>),
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
    names.retain(|name| !is_of_desktop(name));
    if names.is_empty() {
        return Ok(Held::Nothing);
    }
    let manifest = fs::read_to_string(target.join(MARK)).unwrap_or_default();
    Ok(match Manifest::read(&manifest) {
        _ if !names.iter().all(|name| is_ours(name)) => Held::Other,
        Ok(manifest) => Held::Results(Box::new(manifest)),
        Err(ManifestError::Schema { schema, .. }) if schema.starts_with(SCHEMAS) => {
            Held::OtherVersion
        }
        Err(_) => Held::Other,
    })
}

/// How many replications partial results on a subject have; `None` if there are none there.
fn partial_of(place: &Path, subject: &Subject) -> io::Result<Option<usize>> {
    Ok(match held(place)? {
        Held::Results(manifest) if manifest.interrupted && manifest.subject().is(subject) => {
            Some(manifest.replications())
        }
        _ => None,
    })
}

/// Where partial results go that belong beside those in `target`.
fn partial(target: &Path, number: usize) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let ending = if number == 1 { String::new() } else { format!("-{number}") };
    target.with_file_name(format!("{name}.partial{ending}"))
}

/// Clears what killed processes left beside `target`, and puts back what one was about to replace.
fn clear(target: &Path) -> Result<(), FilesError> {
    let parent = target.parent().unwrap_or(Path::new(""));
    let Ok(entries) = fs::read_dir(parent) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(at(parent))?.path();
        let Some(ending) = ending(target, &path) else { continue };
        if ending == "old" && fs::symlink_metadata(target).is_err() {
            fs::rename(&path, target).map_err(at(&path))?;
        } else {
            fs::remove_dir_all(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// Of a directory beside `target` that is made on the way: `new` or `old`.
fn ending(target: &Path, path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix(&*beside(target, "").file_name()?.to_string_lossy())?;
    let (ending, process) = rest.split_once('-')?;
    let known = ["new", "old"].into_iter().find(|known| *known == ending)?;
    process.parse::<u32>().is_ok().then_some(known)
}

/// Whether a file may come from this program, by its ending.
fn is_ours(name: &Path) -> bool {
    let ending = name.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether a file is what desktops leave behind.
fn is_of_desktop(name: &Path) -> bool {
    let name = name.to_string_lossy();
    DESKTOPS.contains(&&*name) || name.starts_with("._")
}

/// A hidden place beside `target`.
pub(crate) fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::report::manifest::{Request, RunRecord};
    use crate::report::sample::scenario;

    /// The manifest of a command with options that made so many replications.
    fn manifest(command: &str, options: &[&str], replications: usize) -> Manifest {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let request = Request { command: command.to_owned(), options };
        let scenario = scenario();
        let outcomes = vec!["0".to_owned(); replications];
        let record = RunRecord::new("run", &scenario, outcomes);
        Manifest::new(request, false, &[&scenario], vec![record])
    }

    fn begin(target: &Path, manifest: &Manifest) -> Result<Staging, FilesError> {
        let mut staging = Staging::prepare(target, &manifest.subject(), false)?;
        staging.add(MARK, |out| manifest.write(out))?;
        Ok(staging)
    }

    fn write(target: &Path, seed: u64) -> Result<Vec<String>, FilesError> {
        let (mut scenario, run) = (scenario(), example::experiment());
        scenario.plan.run.seed = seed;
        let manifest = manifest("run", &[], 3);
        let mut staging = begin(target, &manifest)?;
        crate::report::run::files::write_tables(
            &crate::report::Report::new(&scenario, &run, Some(100)),
            &mut staging,
        )?;
        Ok(staging.publish(&manifest)?.names)
    }

    /// Publishes partial results with so many replications; gives where, and how many are there.
    fn stop(target: &Path, options: &[&str], replications: usize) -> (String, usize) {
        let manifest = Manifest { interrupted: true, ..manifest("run", options, replications) };
        let staging = begin(target, &manifest).unwrap();
        let Published { directory, .. } = staging.publish_partial(&manifest).unwrap();
        let held = Manifest::read(&fs::read_to_string(directory.join(MARK)).unwrap()).unwrap();
        (directory.file_name().unwrap().to_str().unwrap().to_owned(), held.replications())
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
        let mut staging = begin(&target, &manifest("run", &[], 3)).unwrap();
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
    fn results_of_other_work_are_not_replaced_unasked() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        for (command, options) in [("compare", &[][..]), ("run", &["--set=a.b=1"])] {
            let other = manifest(command, options, 3);
            let refused = begin(&target, &other).unwrap_err().to_string();
            assert!(refused.contains("brownout run scenarios/one-crash.toml, which would"));
            assert!(Staging::prepare(&target, &other.subject(), true).is_ok());
        }
        // Another seed, more replications, and the same file after it was edited.
        assert!(begin(&target, &manifest("run", &["--seed=7", "--replications=9"], 9)).is_ok());
        let mut edited = manifest("run", &[], 3);
        edited.scenarios[0].digest = "another".to_owned();
        assert!(begin(&target, &edited).is_ok());
        edited.scenarios[0].file = "elsewhere/one-crash.toml".to_owned();
        assert!(begin(&target, &edited).is_err());
    }

    #[test]
    fn results_of_another_version_are_told_apart_and_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        fs::write(target.join(MARK), r#"{"schema": "brownout/manifest/1"}"#).unwrap();
        let refused = begin(&target, &manifest("run", &[], 3)).unwrap_err();
        assert!(refused.to_string().contains("another version of brownout wrote"), "{refused}");
    }

    #[test]
    fn partial_results_stand_beside_complete_ones_and_fuller_ones_stay() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("small");
        write(&target, 1).unwrap();
        let complete = contents(&target);
        let at = |place: &str, replications| (place.to_owned(), replications);
        assert_eq!(stop(&target, &[], 5), at("small.partial", 5));
        assert_eq!(stop(&target, &[], 3), at("small.partial", 5));
        assert_eq!(stop(&target, &[], 8), at("small.partial", 8));
        assert_eq!(contents(&target), complete);
        // Those of other work, of which there are no complete ones here.
        let other = root.path().join("other");
        assert_eq!(stop(&other, &["--set=a.b=1"], 4), at("other.partial", 4));
        assert_eq!(stop(&other, &["--set=a.b=2"], 1), at("other.partial-2", 1));
        // What is complete takes the place of what was not, if it is about the same.
        write(&target, 1).unwrap();
        write(&other, 1).unwrap();
        assert!(!root.path().join("small.partial").exists());
        assert!(root.path().join("other.partial").exists());
    }

    #[test]
    fn what_killed_runs_left_is_cleared_and_what_they_were_replacing_put_back() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("small");
        write(&target, 1).unwrap();
        let before = contents(&target);
        fs::rename(&target, root.path().join(".small.old-4711")).unwrap();
        for name in [".small.new-12", ".small.new-13", ".small.new-1.new-12", ".smaller.new-1"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        drop(begin(&target, &manifest("run", &[], 3)).unwrap());
        assert_eq!(contents(&target), before);
        let mut left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".small.new-1.new-12", ".smaller.new-1", "small"]);
    }

    #[test]
    fn what_desktops_leave_is_no_obstacle() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("one-crash");
        write(&target, 1).unwrap();
        for name in [".DS_Store", "Thumbs.db", "._summary.json"] {
            fs::write(target.join(name), "x").unwrap();
        }
        assert_eq!(write(&target, 1).unwrap().len(), 5);
        assert_eq!(contents(&target).len(), 5);
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

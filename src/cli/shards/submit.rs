//! `brownout submit`: the job files of a scheduler for a study.
//!
//! The study is checked as the command itself would be, and written beside the job files with the
//! texts of its scenarios, so that what runs is what was submitted. The files are templates of this
//! folder with their `@WORDS@` replaced; nothing here waits or watches: `submit.sh` does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::args::{Engine, SubmitArgs, WorkArgs};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::experiment::partition::Shard;
use crate::report::files::lock::FolderLock;
use crate::report::files::staging::Staging;
use crate::report::format::cells::text_digest;
use crate::report::format::words::plural;
use crate::report::manifest::Manifest;
use crate::report::shards::{WorkFiles, WorkHead, folder_of};
use crate::units::Bytes;

/// The study itself, beside the files of the scheduler.
pub(super) const STUDY: &str = "study.json";
/// The script that submits all.
const SUBMIT: &str = "submit.sh";
/// Rounds of shards of a study that decides as it goes, at most: enough for every number of looks.
const ROUNDS_OF_ADAPTIVE: u32 = 40;
/// Rounds of any other: what failed is tried again twice.
const ROUNDS: u32 = 3;
/// What Kubernetes takes of a text in a ConfigMap.
const CONFIG_MAP_MOST: usize = 1 << 20;
/// What requests in flight may take in a pod, if nobody says.
const ROOM_OF_POD: (&str, Bytes) = ("1536MiB", Bytes(1536 << 20));
/// What a pod may take beyond that, in MiB: the program, and what it holds of a study.
const BEYOND_ROOM: u64 = 512;

/// The templates of a scheduler's files: each with its name.
type JobTemplates = &'static [(&'static str, &'static str)];

const SLURM: JobTemplates = &[
    ("shards.sbatch", include_str!("slurm-shards.sbatch")),
    ("merge.sbatch", include_str!("slurm-merge.sbatch")),
    (SUBMIT, include_str!("slurm-submit.sh")),
];

const HYPERQUEUE: JobTemplates = &[
    ("shard.sh", include_str!("hyperqueue-shard.sh")),
    (SUBMIT, include_str!("hyperqueue-submit.sh")),
];

const KUBERNETES: JobTemplates = &[
    ("shards.yaml", include_str!("kubernetes-shards.yaml")),
    ("merge.yaml", include_str!("kubernetes-merge.yaml")),
    (SUBMIT, include_str!("kubernetes-submit.sh")),
];

/// What is to be submitted: how, and what the command itself says of how its work is done.
pub(in crate::cli) struct Submission {
    args: SubmitArgs,
    /// Options of each shard, …
    of_shards: Vec<String>,
    /// … and those that only the merge has, as well.
    of_merge: Vec<String>,
    /// The most memory that requests in flight may take in a pod.
    room_of_pod: Bytes,
    /// Whether results of something else may be lost.
    replaces: bool,
    /// Where the files are, once they are written.
    written: OnceLock<PathBuf>,
}

impl Submission {
    /// Of a command that was typed as `matches`, which says of its work what `work` has.
    ///
    /// # Errors
    /// It has options that mean nothing in shards.
    pub(in crate::cli) fn new(
        args: &SubmitArgs,
        matches: &ArgMatches,
        work: &WorkArgs,
    ) -> anyhow::Result<Submission> {
        let is_typed =
            |option: &str| matches.value_source(option) == Some(ValueSource::CommandLine);
        if let Some(option) = REFUSED.into_iter().find(|option| is_typed(option)) {
            anyhow::bail!(refused(option, args.engine));
        }
        let is_pod = args.engine == Engine::Kubernetes;
        let typed = matches.get_raw("memory").filter(|_| is_typed("memory"));
        let typed = typed.and_then(|mut values| values.next());
        let room = typed.map(|size| size.to_string_lossy().into_owned());
        let room_of_pod = if room.is_some() { work.memory } else { ROOM_OF_POD.1 };
        let room = room.or_else(|| is_pod.then(|| ROOM_OF_POD.0.to_owned()));
        let of_shards = room.map_or(Vec::new(), |room| {
            vec!["--memory".to_owned(), room.replace(char::is_whitespace, "")]
        });
        let mut of_merge = Vec::new();
        if is_typed("format") {
            let format = matches.get_raw("format").and_then(|mut values| values.next());
            let format = format.unwrap_or_default().to_string_lossy();
            of_merge.extend(["--format".to_owned(), format.into_owned()]);
        }
        let flags = [("--force", work.force), ("--quiet", work.quiet)];
        of_merge.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|(f, _)| (*f).to_owned()));
        let (args, replaces) = (args.clone(), work.force);
        let written = OnceLock::new();
        Ok(Submission { args, of_shards, of_merge, room_of_pod, replaces, written })
    }

    /// Has the command look at its scenarios as a shard will: with one thread, and with the memory
    /// that it will have.
    pub(in crate::cli) fn limit(&self, work: &mut WorkArgs) {
        work.jobs = Some(1);
        if self.args.engine == Engine::Kubernetes {
            work.memory = self.room_of_pod;
        }
    }

    /// Submits what was written, if that is asked for. Where the script waits for the results, they
    /// say how it ends.
    ///
    /// # Errors
    /// The script cannot be run, or the scheduler does not take the jobs.
    pub(in crate::cli) fn run(&self, terminal: Terminal) -> anyhow::Result<Exit> {
        let Some(folder) = self.written.get().filter(|_| self.args.run) else {
            return Ok(Exit::Met);
        };
        let line = line(folder)?;
        let mut process = Process::new("sh");
        process.arg(folder.join(SUBMIT));
        let refused = || format!("cannot run {line}: is it installed here?");
        if self.args.engine != Engine::Slurm {
            let ended = process.status().with_context(refused)?;
            return Ok(Exit::of_code(ended.code()));
        }
        let ended = process.output().with_context(refused)?;
        anyhow::ensure!(
            ended.status.success(),
            "{line} failed: {}\n  = help: the files are written; submit them when the scheduler \
             takes them",
            String::from_utf8_lossy(&ended.stderr).trim()
        );
        let out = String::from_utf8_lossy(&ended.stdout);
        terminal.print(&format!("submitted: {}\n", out.trim()))?;
        Ok(Exit::Met)
    }
}

/// Options that are said of a process that somebody watches, on a machine that they know.
const REFUSED: [&str; 4] = ["jobs", "resume", "progress", "color"];

fn refused(option: &str, engine: Engine) -> String {
    let why = match (option, engine) {
        ("jobs", Engine::Slurm) => {
            "is set by the scheduler\n  = help: ask for threads with #SBATCH --cpus-per-task in \
             shards.sbatch"
        }
        ("jobs", Engine::Hyperqueue) => {
            "is set by the scheduler\n  = help: ask for threads with hq submit --cpus in submit.sh"
        }
        ("jobs", Engine::Kubernetes) => {
            "is 1 in each pod\n  = help: ask for more shards, or change it in shards.yaml with the \
             resources of the pod"
        }
        ("resume", _) => {
            "means nothing to shards\n  = help: leave it out: each goes on from what it left"
        }
        ("progress", _) => {
            "means nothing to shards, which nobody watches\n  = help: leave it out: brownout \
             status says how far they are"
        }
        _ => "means nothing to shards, which nobody watches\n  = help: leave it out",
    };
    format!("the command after --: --{option} {why}")
}

/// Writes the files of a submission for a study whose results are to lie at `results`. Gives what
/// is to be said.
///
/// # Errors
/// There are other files already, or the system refuses; a name cannot be quoted; the place has
/// what shards or merge would refuse.
pub(in crate::cli) fn submit(
    asked: &Submission,
    results: &Path,
    (study, plans): (&Manifest, u64),
) -> anyhow::Result<String> {
    let args = &asked.args;
    let results = absolute(results)?;
    let folder = folder_of(&results);
    let mut text = Vec::new();
    study.write(&mut text)?;
    let text = String::from_utf8(text)?;
    let words = words(asked, &folder, study, &text)?;
    look_at_place(asked, &folder, &results, (study, plans))?;
    let templates = templates(args.engine);
    let filled = templates.iter().map(|(name, template)| (*name, fill(template, &words)));
    let files: Vec<(&str, String)> = filled.chain(std::iter::once((STUDY, text))).collect();
    if !args.force {
        look_at_files(&folder, &files, templates, &words, args.shards)?;
    }
    write(&folder, &files)?;
    let mut said = format!("{} of brownout {}\n", plural(args.shards, "shard"), study.subject());
    for (name, _) in &files {
        said += &format!("  {}/{name}\n", folder.display());
    }
    if !args.run {
        said += &format!("to submit them: {}\n", line(&folder)?);
    }
    let word = |wanted: &str| words.iter().find(|(name, _)| *name == wanted).map(|(_, of)| of);
    said += &match (args.engine, word("JOB")) {
        // Work files are on the volume.
        (Engine::Kubernetes, Some(job)) => {
            format!("how far they are: kubectl get job/{job}-shards\n")
        }
        _ => format!("how far they are: brownout status {}\n", path(&folder)?),
    };
    let _ = asked.written.set(folder);
    Ok(said)
}

fn templates(engine: Engine) -> JobTemplates {
    match engine {
        Engine::Slurm => SLURM,
        Engine::Hyperqueue => HYPERQUEUE,
        Engine::Kubernetes => KUBERNETES,
    }
}

/// What one types to submit the files in a folder.
fn line(folder: &Path) -> anyhow::Result<String> {
    Ok(format!("sh {}", path(&folder.join(SUBMIT))?))
}

/// Refuses a place where every shard, or the merge, would end at once.
fn look_at_place(
    asked: &Submission,
    folder: &Path,
    results: &Path,
    (study, plans): (&Manifest, u64),
) -> anyhow::Result<()> {
    let shard = Shard { index: 0, count: asked.args.shards };
    WorkFiles::of_study(folder, &WorkHead::new(shard, plans, study.clone()))?;
    // Results of pods lie on their volume.
    if asked.args.engine != Engine::Kubernetes {
        let subject = study.subject();
        let lock = FolderLock::take(results, &subject.to_string())?;
        drop(Staging::prepare(results, &subject, asked.replaces)?);
        drop(lock);
    }
    Ok(())
}

/// What stands for each word in the templates.
fn words(
    asked: &Submission,
    folder: &Path,
    study: &Manifest,
    text: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let args = &asked.args;
    let is_pod = args.engine == Engine::Kubernetes;
    let is_adaptive = study.request.is_adaptive();
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let name = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let here = std::env::current_dir().context("there is no current folder")?;
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let why = match is_adaptive {
        true => "the study decides as it goes",
        false => "a shard may have failed",
    };
    let study_text = printable(text);
    anyhow::ensure!(
        !is_pod || study_text.len() < CONFIG_MAP_MOST,
        "the study is {} bytes long, a ConfigMap takes {CONFIG_MAP_MOST}\n  = help: shorten the \
         scenarios; what they replay is not part of it, that lies on the volume",
        study_text.len()
    );
    let shown = folder.display().to_string();
    anyhow::ensure!(
        args.engine != Engine::Hyperqueue || !shown.contains("%{"),
        "{shown}: HyperQueue reads %{{ as the beginning of a word that it replaces\n  = help: give \
         the study another --output or --name"
    );
    let options =
        |options: &[&[String]]| options.concat().iter().map(|o| option(o, is_pod)).collect();
    let job =
        if is_pod { object_name(&name, &format!("{shown}\n{text}")) } else { job_name(&name) };
    Ok(vec![
        // Whatever is in it, a comment is one line.
        ("COMMAND", format!("brownout {}", study.subject()).replace(is_unprintable, " ")),
        ("JOB", job),
        ("SHARDS", args.shards.to_string()),
        ("ROUNDS", if is_adaptive { ROUNDS_OF_ADAPTIVE } else { ROUNDS }.to_string()),
        ("WHY", why.to_owned()),
        ("ROOM", options(&[&asked.of_shards])),
        ("MERGING", options(&[&asked.of_shards, &asked.of_merge])),
        ("LIMIT", format!("{}Mi", asked.room_of_pod.0.div_ceil(1 << 20) + BEYOND_ROOM)),
        ("HERE", path(&here)?),
        ("BASE", path(&here)?),
        ("PROGRAM", path(&program)?),
        ("FOLDER", path(folder)?),
        // Slurm replaces words that begin with %.
        ("LOGS", quoted(&shown.replace('%', "%%"))?),
        ("STUDY", path(&folder.join(STUDY))?),
        ("OUTPUT", path(parent)?),
        ("RESULTS", path(&parent.join(&name))?),
        // Kubernetes replaces $(WORDS) in what a container is given.
        ("PLACE", yaml(&format!("/work/results/{name}.shards").replace("$(", "$$("))),
        ("IMAGE", yaml(&args.image)),
        ("CLAIM", yaml(&args.claim)),
        ("TEXT", block(&study_text)),
    ])
}

/// An option after others: of a shell, or of the list in YAML that a container is given. The
/// options of [`Submission`] have nothing that a shell would not read as it is.
fn option(option: &str, is_pod: bool) -> String {
    if is_pod { format!(", {}", yaml(option)) } else { format!(" {option}") }
}

fn fill(template: &str, words: &[(&str, String)]) -> String {
    // In one go: what stands for a word may contain another.
    let mut out = String::new();
    for (index, part) in template.split('@').enumerate() {
        match words.iter().find(|(word, _)| index % 2 == 1 && *word == part) {
            Some((_, value)) => out += value,
            None => out += part,
        }
    }
    out
}

/// Whether a character ends a line of YAML, or may not stand in it; and is none of JSON's own.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// JSON with what YAML does not take, in strings, written as JSON writes what cannot be shown.
fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match is_unprintable(c) && c != '\n' {
            true => out += &format!("\\u{:04x}", u32::from(c)),
            false => out.push(c),
        }
    }
    out
}

/// A text as a string of YAML.
fn yaml(text: &str) -> String {
    printable(&serde_json::Value::from(text).to_string())
}

/// JSON that is printable as a block of YAML.
fn block(text: &str) -> String {
    let lines = text.lines().map(|line| format!("\n    {line}"));
    std::iter::once("|".to_owned()).chain(lines).collect()
}

/// A word as a shell reads it.
fn quoted(word: &str) -> anyhow::Result<String> {
    let quoted = shlex::try_quote(word);
    Ok(quoted.with_context(|| format!("{word:?} cannot be written in a script"))?.into_owned())
}

/// A path as a shell reads it.
fn path(path: &Path) -> anyhow::Result<String> {
    quoted(&path.display().to_string())
}

/// A name that every scheduler takes: lower case, digits and dashes, at most 40 of them.
fn job_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let plain: String = name.chars().map(plain).take(40).collect();
    let plain = plain.trim_matches('-');
    if plain.starts_with(|c: char| c.is_ascii_lowercase()) {
        plain.to_owned()
    } else {
        format!("study-{plain}").trim_end_matches('-').to_owned()
    }
}

/// The name of an object of Kubernetes, of which a namespace has one: with what tells it from that
/// of another study or folder.
fn object_name(name: &str, from: &str) -> String {
    let plain = job_name(name);
    let plain = plain.get(..OBJECT_NAME_MOST).unwrap_or(&plain).trim_end_matches('-');
    format!("{plain}-{}", &text_digest(from)[..8])
}

/// Of the name itself: room is needed for `-shards` and the number of a pod, in 63.
const OBJECT_NAME_MOST: usize = 31;

/// Refuses to replace files that are not as they are to be, and says what differs.
fn look_at_files(
    folder: &Path,
    files: &[(&str, String)],
    templates: JobTemplates,
    words: &[(&'static str, String)],
    shards: u64,
) -> anyhow::Result<()> {
    let differs = |(name, text): &&(&str, String)| {
        fs::read(folder.join(name)).is_ok_and(|known| known != text.as_bytes())
    };
    let study = files.iter().find(|file| file.0 == STUDY && differs(file));
    let Some((name, _)) = study.or_else(|| files.iter().find(differs)) else { return Ok(()) };
    let shown = folder.join(name).display().to_string();
    let help = "replace it with --force, or give the study another --name or --output";
    if *name == STUDY {
        let known = Manifest::read(&fs::read_to_string(folder.join(name)).unwrap_or_default());
        let theirs = known.map_or_else(
            |_| "no study of this version".to_owned(),
            |known| format!("brownout {}, with a text or seed of its own", known.subject()),
        );
        anyhow::bail!("{shown} is there already and differs: it is {theirs}\n  = help: {help}");
    }
    if let Some(other) = other_shards(folder, templates, words) {
        anyhow::bail!(
            "{} has the job files of {}, and now {shards} are asked for\n  = help: replace them \
             with --force; what shards left is used, whatever their number was",
            folder.display(),
            plural(other, "shard")
        );
    }
    anyhow::bail!(
        "{shown} is there already and differs: somebody changed it, or it was written with other \
         options, by another version or from another folder\n  = help: {help}"
    )
}

/// Of how many shards the files in a folder are, if that is all that they differ in.
fn other_shards(
    folder: &Path,
    templates: JobTemplates,
    words: &[(&'static str, String)],
) -> Option<u64> {
    let known = |name: &str| fs::read(folder.join(name)).ok();
    let (name, template) = templates[0];
    let lead = template.split("@SHARDS@").next()?.rsplit('\n').next()?;
    let text = String::from_utf8(known(name)?).ok()?;
    // What a study says itself stands before.
    let number = text.rsplit_once(lead)?.1.split(|c: char| !c.is_ascii_digit()).next()?;
    let with = |(word, value): &(&'static str, String)| match *word {
        "SHARDS" => (*word, number.to_owned()),
        _ => (*word, value.clone()),
    };
    let words: Vec<(&str, String)> = words.iter().map(with).collect();
    let is_ours = |(name, template): &(&str, &str)| {
        known(name).is_none_or(|text| text == fill(template, &words).into_bytes())
    };
    templates.iter().all(is_ours).then(|| number.parse().ok())?
}

fn write(folder: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        let made = fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        made.and_then(|()| executable(&path, name.ends_with(".sh")))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn executable(path: &Path, is_script: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match is_script {
        true => fs::set_permissions(path, fs::Permissions::from_mode(0o755)),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
fn executable(_: &Path, _: bool) -> std::io::Result<()> {
    Ok(())
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_every_scheduler_takes() {
        let names = ["sweep-steady", "Two words", "2nd", "---", "über"].map(job_name);
        assert_eq!(names, ["sweep-steady", "two-words", "study-2nd", "study", "ber"]);
        assert_eq!(job_name(&"a".repeat(99)).len(), 40);
    }

    #[test]
    fn what_yaml_does_not_take_is_written_as_json_writes_it() {
        let odd = "a\u{2028}b\u{2029}c\u{85}d\u{feff}e\u{7f}f\"g\\über";
        let written = yaml(odd);
        assert_eq!(written, r#""a\u2028b\u2029c\u0085d\ufeffe\u007ff\"g\\über""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), odd);
        assert_eq!(printable("{\n  \"a\": 1\n}"), "{\n  \"a\": 1\n}");
        assert_eq!(block("{\n}"), "|\n    {\n    }");
    }

    #[test]
    fn objects_of_other_studies_have_other_names() {
        let names =
            [("a", "x"), ("a", "y"), ("A", "x")].map(|(name, from)| object_name(name, from));
        assert!(names[0] != names[1] && names[0] == names[2], "{names:?}");
        assert!(names[0].starts_with("a-") && names[0].len() == 10, "{names:?}");
        assert_eq!(object_name(&"b".repeat(99), "").len(), OBJECT_NAME_MOST + 9);
    }

    #[test]
    fn every_word_of_a_template_is_known_and_replaced_once() {
        for (name, template) in [SLURM, HYPERQUEUE, KUBERNETES].concat() {
            let words = template.split('@').skip(1).step_by(2);
            let unknown: Vec<&str> = words
                .filter(|word| word.is_empty() || !word.chars().all(|c| c.is_ascii_uppercase()))
                .collect();
            assert!(unknown.is_empty() && template.matches('@').count() % 2 == 0, "{name}");
        }
        let words = [("A", "@B@".to_owned()), ("B", "no".to_owned())];
        assert_eq!(fill("x @A@ y", &words), "x @B@ y");
    }
}

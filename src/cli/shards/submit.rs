//! `brownout submit`: the job files of a scheduler for a study.
//!
//! The study is checked as the command itself would be, and written beside the job files with the
//! texts of its scenarios, so that what runs is what was submitted. The files are templates of this
//! folder with their `@WORDS@` replaced; nothing here waits or watches.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use anyhow::Context;

use crate::cli::args::{Engine, SubmitArgs};
use crate::report::manifest::Manifest;
use crate::report::shards::folder_of;

/// The study itself, beside the files of the scheduler.
pub(super) const STUDY: &str = "study.json";
/// Rounds of shards of a study that decides as it goes, at most: enough for every number of looks.
const ROUNDS_OF_ADAPTIVE: u32 = 40;
/// Rounds of any other: what failed is tried again twice.
const ROUNDS: u32 = 3;
/// What Kubernetes takes of a text in a ConfigMap.
const CONFIG_MAP_MOST: usize = 1 << 20;

/// The templates of a scheduler's files: each with its name.
type JobTemplates = &'static [(&'static str, &'static str)];

const SLURM: JobTemplates = &[
    ("shards.sbatch", include_str!("slurm-shards.sbatch")),
    ("merge.sbatch", include_str!("slurm-merge.sbatch")),
    ("submit.sh", include_str!("slurm-submit.sh")),
];

const HYPERQUEUE: JobTemplates = &[
    ("shard.sh", include_str!("hyperqueue-shard.sh")),
    ("submit.sh", include_str!("hyperqueue-submit.sh")),
];

const KUBERNETES: JobTemplates = &[
    ("shards.yaml", include_str!("kubernetes-shards.yaml")),
    ("merge.yaml", include_str!("kubernetes-merge.yaml")),
];

/// Writes the files of `args` for a study whose results are to lie at `results`, and submits them
/// if that is asked for. Gives what is to be said.
///
/// # Errors
/// There are other files already, or the system refuses; a name cannot be quoted; the scheduler's
/// command is not there or fails.
pub(in crate::cli) fn submit(
    args: &SubmitArgs,
    results: &Path,
    study: &Manifest,
) -> anyhow::Result<String> {
    let folder = folder_of(&absolute(results)?);
    let mut text = Vec::new();
    study.write(&mut text)?;
    let text = String::from_utf8(text)?;
    let words = words(args, &folder, study, &text)?;
    let templates = match args.engine {
        Engine::Slurm => SLURM,
        Engine::Hyperqueue => HYPERQUEUE,
        Engine::Kubernetes => KUBERNETES,
    };
    let filled = templates.iter().map(|(name, template)| (*name, fill(template, &words)));
    let files: Vec<(&str, String)> = filled.chain(std::iter::once((STUDY, text.clone()))).collect();
    write(&folder, &files, args.force)?;
    let shown = folder.display();
    let mut said = format!("{} shards of brownout {}\n", args.shards, study.subject());
    for (name, _) in &files {
        said += &format!("  {shown}/{name}\n");
    }
    let submit = submission(args.engine, &folder);
    let line =
        submit.iter().map(|word| quoted(word)).collect::<anyhow::Result<Vec<_>>>()?.join(" ");
    if !args.run {
        return Ok(format!(
            "{said}to submit them: {line}\nhow far they are: brownout status {shown}\n"
        ));
    }
    let ended = Process::new(&submit[0]).args(&submit[1..]).output();
    let ended = ended.with_context(|| format!("cannot run {line}: is it installed here?"))?;
    let out = String::from_utf8_lossy(&ended.stdout);
    let err = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(
        ended.status.success(),
        "{line} failed: {}\n  = help: the files are written; submit them when the scheduler takes \
         them",
        err.trim()
    );
    Ok(format!("{said}submitted: {}\nhow far they are: brownout status {shown}\n", out.trim()))
}

/// The command that submits.
fn submission(engine: Engine, folder: &Path) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    match engine {
        Engine::Slurm | Engine::Hyperqueue => vec!["sh".to_owned(), path("submit.sh")],
        Engine::Kubernetes => ["kubectl", "apply", "-f"]
            .map(str::to_owned)
            .into_iter()
            .chain([path("shards.yaml")])
            .collect(),
    }
}

/// What stands for each word in the templates.
fn words(
    args: &SubmitArgs,
    folder: &Path,
    study: &Manifest,
    text: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let is_adaptive = study.request.is_adaptive();
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let name = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let here = std::env::current_dir().context("there is no current folder")?;
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let path = |path: &Path| quoted(&path.display().to_string());
    let why = match is_adaptive {
        true => "the study decides as it goes",
        false => "a shard may have failed",
    };
    let adaptive = match is_adaptive {
        true => {
            "The study decides as it goes: while the merge says that replications are missing,\n\
             # delete both jobs and apply them again."
        }
        false => {
            "What a shard could not make is listed by the merge: delete both jobs and apply again."
        }
    };
    anyhow::ensure!(
        args.engine != Engine::Kubernetes || text.len() < CONFIG_MAP_MOST,
        "the study is {} bytes long, a ConfigMap takes {CONFIG_MAP_MOST}\n  = help: shorten the \
         scenarios; what they replay is not part of it, that lies on the volume",
        text.len()
    );
    Ok(vec![
        // Whatever is in it, a comment is one line.
        ("COMMAND", format!("brownout {}", study.subject()).replace(char::is_control, " ")),
        ("JOB", job_name(&name)),
        ("NAME", name.clone()),
        ("SHARDS", args.shards.to_string()),
        ("ROUNDS", if is_adaptive { ROUNDS_OF_ADAPTIVE } else { ROUNDS }.to_string()),
        ("WHY", why.to_owned()),
        ("ADAPTIVE", adaptive.to_owned()),
        ("HERE", path(&here)?),
        ("BASE", path(&here)?),
        ("PROGRAM", path(&program)?),
        ("FOLDER", path(folder)?),
        ("STUDY", path(&folder.join(STUDY))?),
        ("OUTPUT", path(parent)?),
        ("RESULTS", path(&parent.join(&name))?),
        ("IMAGE", serde_json::to_string(&args.image)?),
        ("CLAIM", serde_json::to_string(&args.claim)?),
        ("TEXT", block(text)),
    ])
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

/// A text as a block of YAML. The JSON of a study has neither tabs nor control characters.
fn block(text: &str) -> String {
    let lines = text.lines().map(|line| format!("\n    {line}"));
    std::iter::once("|".to_owned()).chain(lines).collect()
}

/// A word as a shell reads it.
fn quoted(word: &str) -> anyhow::Result<String> {
    let quoted = shlex::try_quote(word);
    Ok(quoted.with_context(|| format!("{word:?} cannot be written in a script"))?.into_owned())
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

/// Writes files that are not there, or are there as they are to be; others with `force` alone.
fn write(folder: &Path, files: &[(&str, String)], force: bool) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(known) if known == *text => {}
            Ok(_) => anyhow::ensure!(
                force,
                "{} is there already and differs: somebody changed it, or it is of another study\n\
                 \u{20} = help: replace it with --force, or give the study another --name or \
                 --output",
                path.display()
            ),
            Err(_) => {}
        }
    }
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

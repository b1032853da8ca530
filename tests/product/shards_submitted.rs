//! `brownout submit` as a user meets it, with programs in place of `kubectl`, `hq` and `sbatch`
//! that do here what the scheduler would do elsewhere.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use crate::desk::{Desk, err, out};

/// A cluster of Kubernetes in the folder `$CLUSTER`: pods run what the Jobs say, with the volume at
/// `$CLUSTER/work` and the study of the ConfigMap at `$CLUSTER/study`. What is asked for is in
/// `$CLUSTER/calls`. All shards but the first fail in the rounds before `$FAILING`.
const KUBECTL: &str = r#"#!/bin/bash
echo "$*" >> "$CLUSTER/calls"
# What a container is given, as words.
words() {
    sed -n '/ args: \[/,/\]/p' "$1" | tr '\n' ' ' | sed 's/.* args: \[//; s/\].*//; s/,/ /g' |
        sed "s#\"/work#\"$CLUSTER/work#g; s#\"/study/#\"$CLUSTER/study/#g"
}
case "$1 $2 $3" in
    "delete job/"*) rm -f "$CLUSTER"/*.ended "$CLUSTER"/merge.*; exit 0 ;;
    "apply --filename "*shards.yaml)
        mkdir -p "$CLUSTER/work" "$CLUSTER/study"
        sed -n '/ study.json: |/,/^---/p' "$3" | sed '1d; $d; s/^    //' \
            > "$CLUSTER/study/study.json"
        echo round >> "$CLUSTER/rounds"
        job=$(sed -n 's/^  name: \(.*-shards\)$/\1/p' "$3")
        ended="SuccessCriteriaMet=True Complete=True "
        last=$(($(sed -n 's/^  completions: //p' "$3") - 1))
        if [ "$(wc -l < "$CLUSTER/rounds")" -lt "${FAILING:-0}" ]; then
            ended="FailureTarget=True Failed=True "
            last=0
        fi
        for index in $(seq 0 $last); do
            eval "JOB_COMPLETION_INDEX=$index '$PROGRAM' $(words "$3")" \
                >> "$CLUSTER/shards.log" 2>&1
        done
        echo "$ended" > "$CLUSTER/$job.ended" ;;
    "apply --filename "*merge.yaml)
        job=$(sed -n 's/^  name: \(.*-merge\)$/\1/p' "$3")
        eval "'$PROGRAM' $(words "$3")" > "$CLUSTER/merge.log" 2>&1
        code=$?
        echo "sidecar=7 merge=$code " > "$CLUSTER/merge.code"
        [ "$code" = 0 ] && ended="Complete=True " || ended="Suspended=False Failed=True "
        echo "$ended" > "$CLUSTER/$job.ended" ;;
    "get job/"*)
        # Nobody answers at first, then it has not ended.
        echo asked >> "$CLUSTER/asked"
        case $(($(wc -l < "$CLUSTER/asked") % 3)) in
            1) echo "connection refused" >&2; exit 1 ;;
            2) echo "Suspended=False Complete=False " ;;
            0) cat "$CLUSTER/${2#job/}.ended" ;;
        esac ;;
    "get pods "*) echo pod/evicted; echo pod/merge ;;
    "get pod/merge "*) cat "$CLUSTER/merge.code" ;;
    "logs pod/merge "*) cat "$CLUSTER/merge.log" ;;
    *) echo "what is $*?" >&2; exit 1 ;;
esac
"#;

/// HyperQueue, whose tasks have two CPUs each.
const HQ: &str = r#"#!/bin/sh
echo "$*" >> "$CLUSTER/calls"
while [ "$1" != -- ]; do
    [ "$1" = --array ] && last=${2#1-}
    shift
done
shift
for task in $(seq 1 "$last"); do
    HQ_TASK_ID=$task HQ_CPUS=3,5 "$@" >> "$CLUSTER/shards.log" 2>&1 || failed=1
done
exit ${failed:-0}
"#;

/// Slurm, which takes jobs and runs none.
const SBATCH: &str = "#!/bin/sh\necho \"$*\" >> \"$CLUSTER/calls\"\necho '7;loopback'\n";

/// The program, which notes with what it was called.
const NOTED: &str = "#!/bin/sh\necho \"$*\" >> \"$CLUSTER/called\"\nexec \"$PROGRAM\" \"$@\"\n";

struct Cluster {
    desk: Desk,
}

impl Cluster {
    /// Beside a small scenario with these objectives.
    fn with(objectives: &str) -> Cluster {
        let desk = Desk::with(objectives);
        fs::create_dir(desk.path("bin")).unwrap();
        for (name, text) in [("kubectl", KUBECTL), ("hq", HQ), ("sbatch", SBATCH), ("noted", NOTED)]
        {
            let path = desk.path("bin").join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Cluster { desk }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.desk.command(args);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.desk.path("bin").display()));
        command.env("CLUSTER", self.desk.path("")).env("PROGRAM", env!("CARGO_BIN_EXE_brownout"));
        command.env("BROWNOUT_PAUSE", "0").env("BROWNOUT", self.desk.path("bin/noted"));
        command
    }

    fn submit(&self, engine: &str, more: &[&str], study: &[&str]) -> Output {
        let args = ["submit", "--engine", engine, "--shards", "2"];
        self.command(&[&args[..], more, &["--"], study].concat()).output().unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.desk.path(name)).unwrap_or_default()
    }

    fn rounds(&self) -> usize {
        self.text("rounds").lines().count()
    }

    /// The results of a study by itself are those in `place`, and it ends with this exit code.
    fn assert_same(&self, study: &[&str], code: i32, place: &str) {
        assert_eq!(self.desk.code(&[study, &["--output", "whole"]].concat()), code);
        let name = place.rsplit('/').next().unwrap();
        assert_eq!(self.desk.results(place), self.desk.results(&format!("whole/{name}")));
    }
}

#[test]
fn kubernetes_does_the_rounds_of_a_study_that_decides_as_it_goes() {
    let cluster = Cluster::with("");
    let study = ["run", "small.toml", "--precision", "0.01%", "--at-most", "25", "--no-charts"];
    let done = cluster.submit("kubernetes", &["--run"], &study);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), err(&done));
    // Three looks: 10, 20, 25; the last shard of a round may already do the next.
    assert!((2..=3).contains(&cluster.rounds()), "{}", out(&done));
    assert!(out(&done).contains("run all shards again"), "{}", out(&done));
    assert!(out(&done).contains("how far they are: kubectl get job/small-"), "{}", out(&done));
    cluster.assert_same(&study, 0, "work/results/small");
    // Jobs of a round before are gone with their pods before those of the next are made.
    let calls = cluster.text("calls");
    assert_eq!(calls.matches("--ignore-not-found --cascade=foreground").count(), cluster.rounds());
}

#[test]
fn what_a_study_found_is_no_failure_of_its_submission() {
    let study = ["run", "small.toml", "-n", "6", "--no-charts"];
    let one = ["run", "small.toml", "-n", "1", "--no-charts"];
    for (engine, place) in [("kubernetes", "work/results/small"), ("hyperqueue", "results/small")] {
        for (objective, study, code) in
            [("\"p99 < 1ms\"", &study, 1), ("\"p99 < 100s\"", &one, 3), ("", &study, 0)]
        {
            let cluster = Cluster::with(objective);
            let done = cluster.submit(engine, &["--run"], study);
            let said = format!("{}{}", out(&done), err(&done));
            assert_eq!(done.status.code(), Some(code), "{engine}: {said}");
            assert!(out(&done).contains("2 shards of brownout run"), "{engine}: {said}");
            assert!(out(&done).contains("Does it hold?"), "{engine}: {said}");
            assert!(!said.contains("error:"), "{engine}: {said}");
            let submitted = cluster.text("calls").lines().filter(|l| l.contains("submit")).count();
            assert_eq!(cluster.rounds() + submitted, 1, "{engine}: {said}");
            cluster.assert_same(study, code, place);
        }
    }
}

#[test]
fn shards_that_fail_are_tried_again_as_long_as_that_helps() {
    let study = ["run", "small.toml", "-n", "6", "--no-charts"];
    for (failing, code) in [("2", 0), ("99", 3)] {
        let cluster = Cluster::with("");
        let submit = ["submit", "--engine", "kubernetes", "--shards", "2", "--run", "--"];
        let mut command = cluster.command(&[&submit[..], &study].concat());
        let done = command.env("FAILING", failing).output().unwrap();
        let said = format!("{}{}", out(&done), err(&done));
        assert_eq!((done.status.code(), cluster.rounds()), (Some(code), 2), "{said}");
        assert!(said.contains("some shards failed") && said.contains("shard 2 of 2: "), "{said}");
        assert_eq!(said.contains("round 2 added nothing"), code == 3, "{said}");
    }
}

#[test]
fn how_work_is_done_goes_into_the_scripts() {
    let cluster = Cluster::with("");
    let carried = ["--memory", "3 GiB", "--force", "--format", "json", "-q"];
    let study = ["run", "small.toml", "-n", "4", "--no-charts"];
    let study_so = [&study[..], &carried].concat();
    // Results of something else are there: they are lost if that is asked for.
    assert_eq!(cluster.desk.code(&["run", "small.toml", "--set", "traffic.rate=9/s", "-q"]), 0);
    let refused = cluster.submit("slurm", &[], &study);
    assert_eq!(refused.status.code(), Some(2), "{}", out(&refused));
    assert!(err(&refused).contains("holds the results of brownout run"), "{}", err(&refused));
    let done = cluster.submit("hyperqueue", &["--run"], &study_so);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert!(out(&done).contains("\"schema\": \"brownout/summary/"), "{}", out(&done));
    cluster.assert_same(&study, 0, "results/small");
    let called = cluster.text("called");
    for shard in ["1", "2"] {
        // A thread for each CPU that HyperQueue gave.
        let of_shard = format!("--shard {shard}/2 --jobs 2 --memory 3GiB\n");
        assert!(called.contains(&of_shard), "{called}");
    }
    assert!(called.contains(" --memory 3GiB --format json --force --quiet\n"), "{called}");
    // A pod has more than that, and less than what it is killed at where nobody says.
    let folder = "elsewhere/small.shards";
    for (more, room, limit) in [(&carried[..], "3GiB", "3584Mi"), (&[], "1536MiB", "2048Mi")] {
        let study = [&study[..], &["--output", "elsewhere"], more].concat();
        let done = cluster.submit("kubernetes", &["--force"], &study);
        assert_eq!(done.status.code(), Some(0), "{}", err(&done));
        for name in ["shards.yaml", "merge.yaml"] {
            let text = cluster.text(&format!("{folder}/{name}"));
            assert!(text.contains(&format!("\"1\", \"--memory\", \"{room}\"")), "{text}");
            assert!(text.contains(&format!("limits: {{memory: {limit}}}")), "{text}");
            let forces = text.contains("\"--force\", \"--quiet\"]");
            assert_eq!(forces, !more.is_empty() && name == "merge.yaml", "{text}");
        }
    }
}

#[test]
fn a_place_that_shards_would_refuse_is_refused_at_once() {
    let cluster = Cluster::with("");
    let study = ["run", "small.toml", "-n", "4", "--no-charts"];
    assert_eq!(cluster.desk.code(&[&study[..], &["--shard", "1/2"]].concat()), 0);
    let names = cluster.desk.names("results/small.shards");
    for engine in ["slurm", "hyperqueue", "kubernetes"] {
        let other = [&study[..], &["--seed", "9"]].concat();
        let done = cluster.submit(engine, &[], &other);
        assert_eq!(done.status.code(), Some(2), "{}", out(&done));
        assert!(err(&done).contains("(made without --seed=9)"), "{}", err(&done));
        assert_eq!(cluster.desk.names("results/small.shards"), names);
    }
    // The same study goes on there.
    assert_eq!(cluster.submit("slurm", &[], &study).status.code(), Some(0));
    // A folder of something else stands where results are to lie.
    fs::create_dir(cluster.desk.path("results/taken")).unwrap();
    fs::write(cluster.desk.path("results/taken/letter.txt"), "dear").unwrap();
    fs::write(cluster.desk.path("results/taken/photo.raw"), "").unwrap();
    let done = cluster.submit("slurm", &[], &[&study[..], &["--name", "taken"]].concat());
    assert!(err(&done).contains("holds something that is no result"), "{}", err(&done));
    assert!(!cluster.desk.path("results/taken.shards").exists());
}

#[test]
fn other_files_of_ours_are_told_from_what_somebody_changed() {
    let study = ["run", "small.toml", "-n", "4", "--no-charts"];
    for engine in ["slurm", "hyperqueue", "kubernetes"] {
        let cluster = Cluster::with("");
        let submit = |more: &[&str], study: &[&str]| {
            let done = cluster.submit(engine, more, study);
            (done.status.code().unwrap(), err(&done))
        };
        assert_eq!(submit(&[], &study).0, 0);
        let args = ["submit", "--engine", engine, "--shards", "16", "--"];
        let done = cluster.command(&[&args[..], &study].concat()).output().unwrap();
        let said = err(&done);
        assert!(said.contains("has the job files of 2 shards, and now 16 are asked"), "{said}");
        assert!(said.contains("replace them with --force"), "{said}");
        let (_, said) = submit(&[], &[&study[..], &["--seed", "9"]].concat());
        assert!(said.contains("study.json is there already and differs: it is brownout run"));
        let script = cluster.desk.path("results/small.shards/submit.sh");
        fs::write(&script, b"mine \xff").unwrap();
        let (code, said) = submit(&[], &study);
        assert!(code == 2 && said.contains("somebody changed it, or"), "{said}");
        assert_eq!(fs::read(&script).unwrap(), b"mine \xff");
    }
}

#[test]
fn whatever_a_study_and_its_folder_are_called_the_scheduler_reads_what_was_meant() {
    let cluster = Cluster::with("");
    let text = cluster.text("small.toml");
    let text = text.replace("Does it hold?", "Does\u{2028}it\u{85}hold,\u{feff} or\u{2029}?");
    let file = "odd\u{2028}folder/na\"me x.toml";
    fs::create_dir(cluster.desk.path("odd\u{2028}folder")).unwrap();
    fs::write(cluster.desk.path(file), text).unwrap();
    let study = ["sweep", file, "--set", "traffic.rate=20/s,40/s", "-n", "2", "--no-charts"];
    let done = cluster.submit("kubernetes", &["--run"], &study);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), err(&done));
    let name = "sweep-na\"me x";
    cluster.assert_same(&study, 0, &format!("work/results/{name}"));
    for file in ["shards.yaml", "merge.yaml"] {
        let text = cluster.text(&format!("results/{name}.shards/{file}"));
        let is_odd =
            |c: char| c != '\n' && (c.is_control() || "\u{2028}\u{2029}\u{feff}".contains(c));
        assert!(!text.contains(is_odd), "{text:?}");
    }
    // Slurm reads % as the beginning of a word that it replaces, a shell does not.
    let place = "it's 100%a";
    let study = ["run", "small.toml", "-n", "2", "--output", place];
    let done = cluster.submit("slurm", &["--run"], &study);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert!(out(&done).contains("submitted: 7;loopback\n"), "{}", out(&done));
    let calls = cluster.text("calls");
    assert!(calls.contains("/it's 100%%a/small.shards/shard-%a.log /"), "{calls}");
    assert!(calls.contains("/it's 100%a/small.shards/shards.sbatch\n"), "{calls}");
    assert!(calls.contains("--dependency afterany:7 --output /"), "{calls}");
    let said = out(&done);
    let hint =
        said.lines().find_map(|line| line.strip_prefix("how far they are: brownout ")).unwrap();
    let words = hint.strip_prefix("status \"").and_then(|rest| rest.strip_suffix('"')).unwrap();
    assert!(words.ends_with("/it's 100%a/small.shards"), "{words}");
    let done = cluster.submit("hyperqueue", &[], &["run", "small.toml", "--output", "a%{b"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(err(&done).contains("HyperQueue reads %{"), "{}", err(&done));
}

#[test]
fn jobs_of_kubernetes_have_names_of_their_own() {
    let cluster = Cluster::with("");
    let long = "a".repeat(60);
    let (one, other) = (format!("{long}-one"), format!("{long}-other"));
    let mut jobs = Vec::new();
    for more in [["--name", &one], ["--name", &other], ["--output", "here"], ["--output", "there"]]
    {
        let done = cluster.submit("kubernetes", &[], &[&["run", "small.toml"][..], &more].concat());
        let said = out(&done);
        let job = said.split("kubectl get job/").nth(1).unwrap().trim().to_owned();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        // With the number of a pod it is the name of a host.
        assert!(job.len() + "-99999".len() <= 63 && job.chars().all(plain), "{job}");
        jobs.push(job);
    }
    // An exit code of one shard, be it 2, ends no other: its node may be the cause.
    let shards = cluster.text("here/small.shards/shards.yaml");
    assert!(shards.contains("backoffLimitPerIndex: 3\n  maxFailedIndexes: 2\n"), "{shards}");
    assert!(!shards.contains("FailJob") && !shards.contains("onExitCodes"), "{shards}");
    jobs.sort();
    jobs.dedup();
    assert_eq!(jobs.len(), 4, "{jobs:?}");
}

#[test]
fn a_scheduler_that_is_not_there_is_named() {
    let desk = Desk::with("");
    fs::create_dir(desk.path("bin")).unwrap();
    symlink("/bin/sh", desk.path("bin/sh")).unwrap();
    symlink("/bin/touch", desk.path("bin/touch")).unwrap();
    for (engine, program) in [("kubernetes", "kubectl"), ("hyperqueue", "hq"), ("slurm", "sbatch")]
    {
        let args = ["submit", "--engine", engine, "--run", "--", "run", "small.toml"];
        let mut command = desk.command(&[&args[..], &["--name", engine]].concat());
        let ended = command.env("PATH", desk.path("bin")).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", err(&ended));
        assert!(err(&ended).contains(program), "{}", err(&ended));
    }
}

#[test]
fn job_files_are_written_for_a_study_that_is_sound() {
    let desk = Desk::with("\"p99 < 100s\"");
    fs::rename(desk.path("small.toml"), desk.path("it's small.toml")).unwrap();
    let submit = |engine: &str, more: &[&str], study: &[&str]| {
        let args = ["submit", "--engine", engine, "--shards", "3"];
        desk.run(&[&args[..], more, &["--"], study].concat())
    };
    let study = ["run", "it's small.toml", "-n", "9", "--no-charts", "--name", "two words"];
    let done = submit("slurm", &[], &study);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let (said, folder) = (out(&done), "results/two words.shards");
    assert!(said.contains("to submit them: sh '") && said.contains("brownout status "), "{said}");
    let names = ["merge.sbatch", "shards.sbatch", "study.json", "submit.sh"];
    assert_eq!(desk.names(folder), names);
    let text = |name: &str| fs::read_to_string(desk.path(folder).join(name)).unwrap();
    assert!(text("shards.sbatch").contains("#SBATCH --array=1-3\n"));
    assert!(text("shards.sbatch").contains("#SBATCH --job-name=two-words\n"));
    // The shell reads what was meant, blanks and quotes included.
    for name in ["merge.sbatch", "shards.sbatch", "submit.sh"] {
        let path = desk.path(folder).join(name);
        assert!(std::process::Command::new("sh").arg("-n").arg(path).status().unwrap().success());
    }
    let script = desk.path(folder).join("shards.sbatch");
    for shard in 1..=3 {
        let mut shell = std::process::Command::new("bash");
        let ended = shell.arg(&script).env("SLURM_ARRAY_TASK_ID", shard.to_string()).output();
        let ended = ended.unwrap();
        assert!(out(&ended).starts_with(&format!("shard {shard} of 3: done")), "{}", err(&ended));
    }
    let script = desk.path(folder).join("merge.sbatch");
    let merged = std::process::Command::new("bash").arg(script).output().unwrap();
    assert_eq!(merged.status.code(), Some(0), "{}", err(&merged));
    assert_eq!(desk.code(&[&study[..], &["--output", "whole"]].concat()), 0);
    assert_eq!(desk.results("results/two words"), desk.results("whole/two words"));
    // What somebody changed is not lost.
    fs::write(desk.path(folder).join("submit.sh"), "changed").unwrap();
    let again = submit("slurm", &[], &study);
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("submit.sh is there already and differs"), "{}", err(&again));
    assert_eq!(text("submit.sh"), "changed");
    assert_eq!(submit("slurm", &["--force"], &study).status.code(), Some(0));
}

#[test]
fn what_cannot_be_submitted_is_refused_before_anything_is_written() {
    let desk = Desk::with("\"p99 < 100s\"");
    let refused = |study: &[&str]| {
        let ended = desk.run(&[&["submit", "--engine", "kubernetes", "--"], study].concat());
        assert_eq!(ended.status.code(), Some(2), "{study:?}: {}", err(&ended));
        assert!(!desk.path("results").exists());
        err(&ended)
    };
    assert!(refused(&["check", "small.toml"]).contains("run, compare, sweep and plan can be"));
    assert!(refused(&["run", "small.toml", "--shard", "1/2"]).contains("without --shard"));
    assert!(refused(&["run", "nothing.toml"]).contains("nothing.toml"));
    assert!(refused(&["sweep", "small.toml", "--set", "a.b=1,2"]).contains("a.b"));
    assert!(refused(&["rnu", "small.toml"]).contains("the command after --"));
    for (option, remedy) in [
        (&["-j", "2"][..], "--jobs is 1 in each pod"),
        (&["--resume"], "--resume means nothing to shards"),
        (&["--progress", "never"], "--progress means nothing to shards"),
        (&["--color", "never"], "--color means nothing to shards"),
    ] {
        let said = refused(&[&["run", "small.toml"], option].concat());
        assert!(said.contains(remedy) && said.contains("= help: "), "{said}");
    }
    let ended = desk.run(&["submit", "--engine", "slurm", "--", "run", "small.toml", "--jobs=2"]);
    assert!(err(&ended).contains("#SBATCH --cpus-per-task"), "{}", err(&ended));
    // It is one error, and help is none.
    assert_eq!(refused(&["run"]).matches("error:").count(), 1);
    let help = desk.run(&["submit", "--engine", "slurm", "--", "run", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(out(&help).contains("--requests-every"), "{}", out(&help));
    assert!(err(&help).is_empty(), "{}", err(&help));
}

//! A desk: an empty folder in which the program is run as a user would.

#![allow(dead_code)] // each test file uses its own part

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

pub struct Desk {
    root: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Desk { root: tempfile::tempdir().unwrap() }
    }

    /// A small scenario with these objectives.
    pub fn with(objectives: &str) -> Self {
        let desk = Desk::new();
        let text = format!(
            "question = \"Does it hold?\"\nobjectives = [{objectives}]\n\n[gateway]\n\
             tier = \"large\"\n\n[traffic]\nrate = \"50/s\"\n\n[run]\nhorizon = \"60s\"\n\
             warm-up = \"5s\"\nreplications = 3\n"
        );
        fs::write(desk.path("small.toml"), text).unwrap();
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
        command.args(args).current_dir(self.root.path());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn code(&self, args: &[&str]) -> i32 {
        self.run(args).status.code().unwrap()
    }

    /// Runs a command with progress, sends it `signal` once it has said a line that is `late`
    /// enough, and gives what it printed from then on, and how it ended.
    pub fn stopped(&self, args: &[&str], signal: &str, late: impl Fn(&str) -> bool) -> Output {
        let (child, talk) = self.begun(args, late);
        Desk::signal(&child, signal);
        Desk::ended(child, talk)
    }

    /// Begins a command with progress, and waits until it has said a line that is `late` enough.
    pub fn begun(
        &self,
        args: &[&str],
        late: impl Fn(&str) -> bool,
    ) -> (Child, BufReader<ChildStderr>) {
        let args = [args, &["--progress", "always"]].concat();
        let mut command = self.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !late(&line) {
            line.clear();
            assert!(talk.read_line(&mut line).unwrap() > 0, "it ended before it was late enough");
        }
        (child, talk)
    }

    /// Sends a signal to a command.
    pub fn signal(child: &Child, signal: &str) {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// What a command that was begun printed from then on, and how it ended.
    pub fn ended(child: Child, mut talk: BufReader<ChildStderr>) -> Output {
        let mut stderr = Vec::new();
        talk.read_to_end(&mut stderr).unwrap();
        Output { stderr, ..child.wait_with_output().unwrap() }
    }

    /// A command that is stopped after two lines of progress, the second of which comes two seconds
    /// after the first, and that says how to go on.
    pub fn stop_on_the_way(&self, args: &[&str]) {
        let lines = std::cell::Cell::new(0);
        let second = |line: &str| {
            lines.set(lines.get() + usize::from(!line.is_empty()));
            lines.get() == 2
        };
        let output = self.stopped(args, "-INT", second);
        assert!(err(&output).contains("--resume goes on from here"), "{}", err(&output));
        assert_eq!(output.status.code(), Some(130));
    }

    /// What is in a folder, by name.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn results(&self, directory: &str) -> Vec<(String, Vec<u8>)> {
        contents(&self.path(directory))
    }
}

pub fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut all: Vec<_> = entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect();
    all.sort();
    all
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

//! A desk on which the program meets damaged files: with little memory, and not for ever.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the program may take: addresses, in KiB, which threads reserve more of than they use.
const MEMORY: &str = "6000000";

pub struct Desk {
    root: PathBuf,
}

impl Desk {
    /// An empty folder of this name, which stays.
    pub fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).expect("a folder");
        Desk { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_brownout");
        let mut command = match cfg!(unix) {
            true => {
                let mut command = Command::new("sh");
                let limited = format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
                command.args(["-c", &limited, program]);
                command
            }
            false => Command::new(program),
        };
        command.args(args).current_dir(&self.root).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program; what takes longer than this is asked to stop, which it does at once.
    pub fn run(&self, args: &[&str], patience: Duration) -> Output {
        let mut child = self.command(args).spawn().expect("it begins");
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let status = match wait(&mut child, patience) {
            Some(status) => status,
            None => {
                let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
                assert!(stopped.is_ok_and(|status| status.success()), "cannot stop it");
                let status = wait(&mut child, Duration::from_secs(20));
                if status.is_none() {
                    let _ = child.kill();
                }
                let root = self.root.display();
                status.unwrap_or_else(|| panic!("{args:?} does not stop, in {root}"))
            }
        };
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| reader.join().expect("read");
        Output { status, stdout: text(out), stderr: text(err) }
    }

    /// Kills the program after a while; says whether it was still at work.
    pub fn kill(&self, args: &[&str], after: Duration) -> bool {
        let mut child = self.command(args).spawn().expect("it begins");
        let ended = wait(&mut child, after).is_some();
        let _ = child.kill();
        let _ = child.wait();
        !ended
    }

    /// Asserts that the program ended in order.
    pub fn assert_in_order(&self, output: &Output, codes: &[i32], what: &str) {
        let talk = String::from_utf8_lossy(&output.stderr);
        let known = output.status.code().is_some_and(|code| codes.contains(&code));
        assert!(
            known && !talk.contains("panicked at"),
            "{what}, in {}: {:?}\n{}",
            self.root.display(),
            output.status,
            talk.chars().take(3_000).collect::<String>()
        );
    }
}

fn reader(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn wait(child: &mut Child, patience: Duration) -> Option<std::process::ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("its status") {
            return Some(status);
        }
        if begun.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The files with this ending in a folder of the project, by name, with their texts.
pub fn texts(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| path.extension().is_some_and(|found| found == ending);
    let mut paths: Vec<PathBuf> = entries.filter(is_one).collect();
    paths.sort();
    let read = |path: PathBuf| fs::read_to_string(&path).ok().map(|text| (path, text));
    paths.into_iter().filter_map(read).collect()
}

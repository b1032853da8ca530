//! What cutting a study into shards and merging them costs: CPU time beside that of the study by
//! itself, on one thread each.
//!
//! ```sh
//! cargo bench --bench sharding                    # 64 shards
//! cargo bench --bench sharding -- 8 64 256
//! ```
//!
//! CPU time is what the system counted for the processes (Linux), so that what else runs on the
//! machine disturbs little. The study is one of many equal replications, as those are that one
//! cuts. The last lines say what follows for how long it takes on so many machines: the shards are
//! as long as the longest of them, and the merge comes after.

use std::path::Path;
use std::process::{Command, Stdio};

const STUDY: [&str; 6] =
    ["run", "scenarios/replica-crash.toml", "--replications", "1280", "--no-charts", "--jobs=1"];

/// Seconds of CPU that the children of this process have taken.
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this needs Linux's /proc");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // Fields 16 and 17 of proc(5), in hundredths; the first two come before the bracket.
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(13) + ticks(14)) / 100.0
}

/// Runs a command and gives the CPU time that it took.
fn cpu(args: &[&str]) -> f64 {
    let before = children();
    let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
    command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
    let code = command.status().unwrap().code();
    assert!(matches!(code, Some(0 | 1)), "{args:?} ended with {code:?}");
    children() - before
}

fn main() {
    let counts: Vec<u64> = std::env::args().filter_map(|text| text.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![64] } else { counts };
    let root = std::env::temp_dir().join(format!("brownout-sharding-{}", std::process::id()));
    let output = |name: &str| format!("--output={}", root.join(name).display());
    // Before and after the shards, so that what else the machine does at the time shows.
    let by_itself = || {
        let taken = cpu(&[&STUDY[..], &[&output("whole"), "--force"]].concat());
        println!("the study by itself: {taken:.2} s of CPU");
        taken
    };
    let mut before = by_itself();
    for count in counts {
        let place = output(&count.to_string());
        let shard =
            |index| cpu(&[&STUDY[..], &[&place, &format!("--shard={index}/{count}")]].concat());
        let shards: Vec<f64> = (1..=count).map(shard).collect();
        let folder = root.join(count.to_string()).join("replica-crash.shards");
        let merge =
            cpu(&["merge", folder.to_str().unwrap(), "--jobs=1", &output("merged"), "--force"]);
        same(&root.join("whole/replica-crash"), &root.join("merged/replica-crash"));
        let after = by_itself();
        let whole = (before + after) / 2.0;
        before = after;
        let (sum, longest) =
            (shards.iter().sum::<f64>(), shards.iter().copied().fold(0.0, f64::max));
        println!(
            "{count} shards: {sum:.2} s and {merge:.2} s for the merge, {:+.1} %; the longest \
             takes {longest:.2} s: {:.1} times as fast on {count} machines",
            100.0 * ((sum + merge) / whole - 1.0),
            whole / (longest + merge)
        );
    }
    std::fs::remove_dir_all(root).unwrap();
}

/// Both folders have the same files.
fn same(one: &Path, other: &Path) {
    for entry in std::fs::read_dir(one).unwrap() {
        let name = entry.unwrap().file_name();
        let read = |folder: &Path| std::fs::read(folder.join(&name)).unwrap();
        assert!(read(one) == read(other), "{name:?} differs");
    }
}

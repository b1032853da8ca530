//! Ctrl-C, or a signal to end: the first stops the run at the next bin, the second ends the
//! program.

use std::path::Path;
use std::sync::Arc;

use super::exit::Exit;
use super::terminal::Terminal;
use crate::experiment::Watch;

/// Listens for Ctrl-C. If the program is ended, `unfinished` is removed.
pub(super) fn listen(watch: &Arc<Watch>, unfinished: &Path, terminal: Terminal) {
    let (watch, unfinished) = (Arc::clone(watch), unfinished.to_owned());
    let listening = ctrlc::set_handler(move || {
        if watch.gauge.is_stopped() {
            let _ = std::fs::remove_dir_all(&unfinished);
            std::process::exit(Exit::Interrupted as i32);
        }
        watch.gauge.stop();
        terminal.say("stopping at the next bin to write what there is; Ctrl-C again to give up\n");
    });
    if let Err(error) = listening {
        terminal.say(&format!("warning: Ctrl-C will not write partial results: {error}\n"));
    }
}

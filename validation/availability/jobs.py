"""Runs of the simulator, several at a time, that end when this program does."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

POLL = 0.05  # seconds between looks at what runs
SCENARIOS = pathlib.Path(__file__).with_name("scenarios")


class Job:
    """One command; `read` makes of its results' folder what is kept of it."""

    def __init__(self, words, read):
        self.words, self.read = [str(word) for word in words], read

    def start(self, brownout, folder):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.errors = open(self.folder / "stderr", "w+")
        shared = ["--jobs", "1", "--no-charts", "--progress", "never", "--name", "it",
                  "--output", self.folder]
        self.process = subprocess.Popen(
            [brownout, *self.words, *shared], stdout=subprocess.DEVNULL, stderr=self.errors,
            start_new_session=True, preexec_fn=lambda: os.nice(5))

    def finish(self):
        """What is kept of it. 1 and 3 are verdicts on the objective, no errors."""
        if self.process.returncode not in (0, 1, 3):
            self.errors.seek(0)
            raise RuntimeError(f"{' '.join(self.words)}\n{self.errors.read()}")
        self.errors.close()
        found = self.read(self.folder / "it")
        shutil.rmtree(self.folder)
        return found


class Pool:
    """Makes jobs, so many at a time, and tells on standard error how far it is."""

    def __init__(self, brownout, at_a_time, kept=None):
        self.brownout, self.at_a_time, self.kept = brownout, at_a_time, kept
        self.running, self.made, self.taken = {}, 0, 0
        self.program = hashlib.sha256(brownout.read_bytes()).digest() if kept else b""
        if kept:
            kept.mkdir(parents=True, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="brownout-availability-")

    def map(self, label, jobs):
        """What is kept of each job, in their order."""
        jobs, begun = list(jobs), time.monotonic()
        found = {index: self.known(job) for index, job in enumerate(jobs) if self.known(job)}
        self.taken += len(found)
        waiting = [it for it in enumerate(jobs) if it[0] not in found][::-1]
        while waiting or self.running:
            while waiting and len(self.running) < self.at_a_time:
                index, job = waiting.pop()
                job.start(self.brownout, self.folder)
                self.running[index] = job
            for index in [i for i, job in self.running.items() if job.process.poll() is not None]:
                job = self.running.pop(index)
                found[index] = job.finish()
                self.made += 1
                if self.kept:
                    self.place(job).write_text(json.dumps(found[index]))
                self.tell(label, len(found), len(jobs), begun)
            time.sleep(POLL)
        return [found[index] for index in range(len(jobs))]

    def place(self, job):
        """Where the results of a job are kept: the same program, scenario and options repeat."""
        text = pathlib.Path(job.words[1]).read_bytes()
        words = "\0".join([job.words[0], *job.words[2:]]).encode()
        return self.kept / hashlib.sha256(b"\0".join([self.program, text, words])).hexdigest()

    def known(self, job):
        """The results of a job if they were kept, or None."""
        if not self.kept or not self.place(job).exists():
            return None
        return json.loads(self.place(job).read_text())

    def tell(self, label, done, of, begun):
        is_last = done == of
        if sys.stderr.isatty() or is_last or done % max(1, of // 8) == 0:
            end = "\n" if is_last or not sys.stderr.isatty() else "\r"
            spent = time.monotonic() - begun
            print(f"{label}: {done} of {of} runs, {spent:.0f} s", end=end, file=sys.stderr,
                  flush=True)

    def close(self):
        """Ends what still runs, and takes away what was written."""
        for job in self.running.values():
            try:
                os.killpg(job.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            job.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def availability(scenario, requests, seed, changes=(), target=None):
    """A job of `brownout availability`, of which the JSON is kept."""
    words = ["availability", SCENARIOS / f"{scenario}.toml", "--requests", requests, "--seed", seed]
    words += [part for change in changes for part in ("--set", change)]
    words += ["--target", target] if target else []
    return Job(words, lambda folder: json.loads((folder / "availability.json").read_text()))

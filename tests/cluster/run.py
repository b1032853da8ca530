"""Real schedulers run the shards of a study, on the loopback of this machine.

    python3 tests/cluster/run.py [--brownout target/release/brownout] [--require-all]

Slurm (Debian: slurmctld slurmd slurm-client munge; as root) runs what `brownout submit` wrote: an
array of eight shards, of which one is killed and requeued, and the merge that depends on it.
HyperQueue (PyPI: hyperqueue, which brings server and worker along) runs its shard script. The strict
schema of Kubernetes (PyPI: kubernetes-validate, PyYAML) reads the Indexed Job. The results must be
those of the study by itself, to the byte. What is not installed is skipped, which the last lines say.
"""

import argparse
import filecmp
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARDS = 8
STUDY = ["sweep", "scenarios/steady.toml", "--set", "traffic.rate=300/s..1500/s:5", "-n", "12",
         "--set", "run.horizon=3m", "--no-charts"]
NAME = "sweep-steady"
SLURM = ["slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "munged"]
PATIENCE = 240  # seconds


class Skipped(Exception):
    """Something that is needed is not installed."""


def say(text):
    print(text, flush=True)


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
                           f"{done.stdout}{done.stderr}")
    return done.stdout


def until(what, found, seconds=PATIENCE):
    """Waits until `found` gives something, and gives it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise RuntimeError(f"{what}: not within {seconds} s")


class Study:
    """The study, what it gives by itself, and a folder for what a scheduler makes of it."""

    def __init__(self, brownout, folder):
        self.brownout, self.folder = str(brownout), pathlib.Path(folder)
        self.whole = self.folder / "whole"
        run([self.brownout, *STUDY, "--quiet", "--output", self.whole], cwd=ROOT)

    def submit(self, engine, *more):
        """Writes the job files of a scheduler, and gives the folder that they are in."""
        output = self.folder / engine
        run([self.brownout, "submit", "--engine", engine, "--shards", str(SHARDS), *more, "--",
             *STUDY, "--output", str(output)], cwd=ROOT)
        return output / f"{NAME}.shards"

    def assert_same(self, output):
        one, other = self.whole / NAME, output / NAME
        names = sorted(path.name for path in one.iterdir())
        if names != sorted(path.name for path in other.iterdir()):
            raise RuntimeError(f"{other} has other files than {one}")
        _, differing, failed = filecmp.cmpfiles(one, other, names, shallow=False)
        if differing or failed:
            raise RuntimeError(f"{other} differs from {one}: {differing + failed}")


class Slurm:
    """A cluster of one node, this machine, in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        host = run(["hostname", "-s"]).strip()
        key, socket = folder / "munge.key", folder / "munge.socket"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for name in ["state", "spool"]:
            (folder / name).mkdir()
        # A requeued task starts once the credential of its first start has expired.
        (folder / "slurm.conf").write_text(f"""\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket},cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
KillWait=2
MinJobAge=600
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
        self.conf = folder / "slurm.conf"
        os.environ["SLURM_CONF"] = str(self.conf)

    def begin(self):
        """Starts the daemons, and waits until the node takes jobs."""
        folder, key, socket = self.folder, self.folder / "munge.key", self.folder / "munge.socket"
        self.start(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={socket}",
                    f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
                    f"--seed-file={folder}/munged.seed"], "munged")
        until("munged", socket.exists, 20)
        self.start(["slurmctld", "-D", "-c", "-f", str(self.conf)], "slurmctld")
        self.start(["slurmd", "-D", "-f", str(self.conf)], "slurmd")
        until("a node that is idle", self.is_idle, 60)

    def start(self, command, name):
        with open(self.folder / f"{name}.out", "wb") as out:
            self.daemons.append(subprocess.Popen(command, stdout=out, stderr=out))

    def is_idle(self):
        done = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True)
        return done.stdout.strip() == "idle"

    def stop(self):
        subprocess.run(["scancel", "--user", "root"], capture_output=True)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def process_of(shard):
    """The process that simulates a shard."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--shard" in words and f"{shard}/{SHARDS}".encode() in words:
            return int(entry.parent.name)
    return None


def job_of(shard):
    """What Slurm calls the task of a shard."""
    out = run(["squeue", "-h", "-t", "all", "-r", "-o", "%F_%K %j"])
    found = [line.split()[0] for line in out.splitlines() if line.split()[1] == NAME]
    return next((job for job in found if job.endswith(f"_{shard}")), None)


def slurm(study):
    if [name for name in SLURM if not shutil.which(name)]:
        raise Skipped("Debian's slurmctld, slurmd, slurm-client and munge")
    if os.geteuid() != 0:
        raise Skipped("root, as which slurmd runs")
    # The path of munge's socket is limited in length.
    with tempfile.TemporaryDirectory(prefix="slurm-") as place:
        cluster = Slurm(pathlib.Path(place))
        try:
            cluster.begin()
        except (RuntimeError, OSError) as error:
            cluster.stop()
            raise Skipped(f"a Slurm that starts here: {error}") from None
        try:
            shards = study.submit("slurm", "--run")
            file = shards / f"2-of-{SHARDS}.jsonl.gz"
            until("a shard at work", lambda: file.exists() and file.stat().st_size > 4096)
            victim = until("its process", lambda: process_of(2), 5)
            os.kill(victim, signal.SIGKILL)
            run(["scontrol", "requeue", job_of(2)])
            killed = time.monotonic()
            until("the end of all jobs", lambda: not run(["squeue", "-h"]).strip())
            starts = sorted(path.name for path in shards.glob(f"2-of-{SHARDS}*.gz"))
            if len(starts) != 2:
                raise RuntimeError(f"the shard that was killed was begun {len(starts)} times")
            study.assert_same(study.folder / "slurm")
            return f"one killed and requeued, merged {time.monotonic() - killed:.0f} s later"
        except Exception:
            for path in sorted(cluster.folder.glob("slurm*.log")):
                say(f"--- {path.name}\n{path.read_text()[-2000:]}")
            raise
        finally:
            cluster.stop()


def hyperqueue(study):
    try:
        from hyperqueue import Job, LocalCluster
    except ImportError:
        raise Skipped("PyPI's hyperqueue") from None
    shards = study.submit("hyperqueue")
    with LocalCluster() as cluster:
        cluster.start_worker()
        job = Job(default_workdir=str(study.folder))
        # The library numbers tasks as it likes; an array that is submitted counts from 1.
        script = str(shards / "shard.sh")
        tasks = [job.program(["sh", "-c", f'HQ_TASK_ID={shard} exec sh "$0"', script])
                 for shard in range(1, SHARDS + 1)]
        output = str(study.folder / "hyperqueue")
        job.program([study.brownout, "merge", str(shards), "--base", str(ROOT), "--output", output,
                     "--quiet"], deps=tasks)
        client = cluster.client()
        client.wait_for_jobs([client.submit(job)])
    study.assert_same(study.folder / "hyperqueue")
    return "shards, and the merge that depends on them"


def kubernetes(study):
    try:
        import kubernetes_validate
        import yaml
    except ImportError:
        raise Skipped("PyPI's kubernetes-validate and PyYAML") from None
    shards = study.submit("kubernetes")
    kinds = []
    for path in [shards / "shards.yaml", shards / "merge.yaml"]:
        for document in yaml.safe_load_all(path.read_text()):
            kubernetes_validate.validate(document, "1.33", strict=True)
            kinds.append(document["kind"])
            if document["kind"] == "ConfigMap":
                inside = json.loads(document["data"]["study.json"])
                if inside != json.loads((shards / "study.json").read_text()):
                    raise RuntimeError("the ConfigMap has another study")
            spec = document.get("spec", {})
            if "completions" in spec:
                misspelt = {**document, "spec": {**spec, "completion": spec["completions"]}}
                try:
                    kubernetes_validate.validate(misspelt, "1.33", strict=True)
                except kubernetes_validate.ValidationError:
                    continue
                raise RuntimeError("the validator takes what is misspelt")
    if kinds != ["ConfigMap", "Job", "Job"]:
        raise RuntimeError(f"unexpected: {kinds}")
    return "strictly valid for 1.33"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--brownout", default=ROOT / "target/release/brownout", help="the program")
    parser.add_argument("--require-all", action="store_true", help="what is skipped is a failure")
    asked = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="shards of a study ") as folder:
        study = Study(pathlib.Path(asked.brownout).resolve(), folder)
        for check in [slurm, hyperqueue, kubernetes]:
            try:
                results[check.__name__] = f"ok: {check(study)}"
            except Skipped as missing:
                results[check.__name__] = f"SKIPPED, it needs {missing}"
            except (RuntimeError, subprocess.SubprocessError, OSError) as error:
                results[check.__name__] = f"FAILED: {error}"
            say(f"{check.__name__}: {results[check.__name__]}")
    bad = ("FAILED", "SKIPPED") if asked.require_all else ("FAILED",)
    count = {word: sum(result.startswith(word) for result in results.values())
             for word in ["ok", "FAILED", "SKIPPED"]}
    say(f"{count['ok']} schedulers ok, {count['FAILED']} failed, {count['SKIPPED']} skipped")
    return int(any(result.startswith(bad) for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())

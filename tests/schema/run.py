#!/usr/bin/env python3
"""The JSON Schema of scenarios in the validators that editors use.

Checks with each of tombi (PyPI) and taplo (npm) that is found that every shipped scenario and every
template of `brownout init` passes, and that a misspelt key, a rate without a unit and a word that
there is not are refused. Installs nothing.

    python3 tests/schema/run.py --brownout target/debug/brownout
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is changed in a sound scenario, and what the validators are to say no to.
WRONG = {
    "a misspelt key": ('tier = "large"', 'teir = "large"'),
    "a rate without a unit": ('rate = "900/s"', 'rate = "900"'),
    "a bare number": ('rate = "900/s"', "rate = 900"),
    "an unknown kind": ('kind = "replica-crash"', 'kind = "replica-crush"'),
    "an unknown section": ("[run]", "[runs]"),
}


def tombi(path):
    return ["tombi", "lint", "--offline", "--error-on-warnings", path.name]


def taplo(path):
    # taplo reads addresses alone as schemas, and no path that is relative to the file.
    schema = (path.parent / "brownout.schema.json").as_uri()
    return ["taplo", "lint", "--schema", schema, path.name]


def accepts(command, path):
    done = subprocess.run(command(path), cwd=path.parent, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def sound(folder, brownout):
    """Copies of all sound scenarios, beside the schema that they name."""
    schema = subprocess.run([brownout, "schema"], capture_output=True, check=True).stdout
    (folder / "brownout.schema.json").write_bytes(schema)
    for path in sorted((ROOT / "scenarios").glob("*.toml")):
        text = path.read_text()
        first = "#:schema ../docs/schema/scenario.schema.json\n"
        assert text.startswith(first), f"{path} names no schema"
        (folder / path.name).write_text(text.replace(first, "#:schema ./brownout.schema.json\n"))
    listed = subprocess.run([brownout, "init", "--list"], capture_output=True, text=True, check=True)
    for name in (line.split()[0] for line in listed.stdout.splitlines()):
        file = folder / f"template-{name}.toml"
        subprocess.run([brownout, "init", file, "--template", name], capture_output=True, check=True)
    return sorted(folder.glob("*.toml"))


def check(name, command, folder, files):
    failures = 0
    for path in files:
        passes, said = accepts(command, path)
        if not passes:
            failures += 1
            print(f"{name}: {path.name} is refused\n{said}")
    text = (folder / "replica-crash.toml").read_text()
    for what, (right, wrong) in WRONG.items():
        assert text.count(right) == 1, f"{right} is not there once"
        path = folder / "wrong.toml"
        path.write_text(text.replace(right, wrong))
        if accepts(command, path)[0]:
            failures += 1
            print(f"{name}: {what} is accepted")
        path.unlink()
    print(f"{name}: {len(files)} sound files and {len(WRONG)} wrong ones, {failures} failures")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brownout", required=True)
    brownout = str(pathlib.Path(parser.parse_args().brownout).resolve())
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["NO_COLOR"] = "1"
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = sound(folder, brownout)
        for name, command in (("tombi", tombi), ("taplo", taplo)):
            if shutil.which(name):
                failures += check(name, command, folder, files)
            else:
                print(f"{name} is SKIPPED: it is not installed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()

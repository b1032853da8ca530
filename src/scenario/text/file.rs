//! Files beside a scenario: recorded values and recorded arrivals.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::diagnostic::closest;
use crate::random::Law;
use crate::units::Bytes;

/// The largest file of values that is read: 256 MiB.
const FILE_LIMIT: u64 = 256 << 20;

/// The most values that an empirical law may have.
pub const VALUE_LIMIT: usize = 1_000_000;

/// Why a file could not be read, in words.
fn why(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Opens a regular file, or says why it cannot be read.
pub(crate) fn open(path: &Path) -> Result<File, String> {
    let metadata = std::fs::metadata(path).map_err(why)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(format!("it is {what}"));
    }
    File::open(path).map_err(why)
}

/// What stands for standard input in place of a path.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Reads a regular file of at most `limit` bytes as text, or says why it cannot be read.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String, String> {
    text_from(open(path)?, limit)
}

/// The same of what is open already.
pub(crate) fn text_from(from: impl Read, limit: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).map_err(why)?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {}", Bytes(limit)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        format!("line {} is not UTF-8 text", line + 1)
    })
}

/// What to do where a scenario cannot be read: the file that was probably meant, or how to come by
/// one.
pub(crate) fn instead(path: &Path) -> String {
    let folder = match path.is_dir() {
        true => path,
        false => path.parent().filter(|at| !at.as_os_str().is_empty()).unwrap_or(Path::new(".")),
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    let word = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let word = word.filter(|_| !path.is_dir()).unwrap_or_default();
    let meant = match names.as_slice() {
        [only] if path.is_dir() => Some(only.as_str()),
        all => closest(&word, all.iter().map(String::as_str)),
    };
    let beside = |name| if path.is_dir() { path.join(name) } else { path.with_file_name(name) };
    match meant {
        Some(meant) => format!("did you mean {}?", beside(meant).display()),
        None if path.is_dir() => "name a scenario in it: a file that ends in .toml".to_owned(),
        None => "`brownout init` writes a scenario to begin with".to_owned(),
    }
}

/// That a file beside the scenario cannot be read, and why.
pub(crate) fn unreadable(path: &Path, why: &str) -> String {
    format!("cannot read {}: {why}", path.display())
}

/// The law of the values in a file: milliseconds, one per line; empty lines and lines that begin
/// with `#` are passed over.
pub(crate) fn values(path: &Path) -> Result<Law, String> {
    let text = text(path, FILE_LIMIT).map_err(|why| unreadable(path, &why))?;
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{}:{}", path.display(), index + 1);
        match milliseconds(line) {
            Some(_) if values.len() == VALUE_LIMIT => {
                return Err(format!("{}: more than {VALUE_LIMIT} values", place()));
            }
            Some(value) => values.push(value),
            None => {
                let line = crate::diagnostic::clip(line);
                return Err(format!("{}: {line:?} is no number of milliseconds", place()));
            }
        }
    }
    if values.is_empty() {
        return Err(format!("{} has no values", path.display()));
    }
    Ok(Law::Empirical(values.into()))
}

/// Milliseconds as nanoseconds; not above a day.
pub(crate) fn milliseconds(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (0.0..=86_400e3).contains(&value).then_some(value * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn values_are_milliseconds_one_per_line() {
        let file = written(b"# measured\n1\n\n2.5\n");
        assert_eq!(values(file.path()), Ok(Law::Empirical([1e6, 2.5e6].into())));
    }

    #[test]
    fn a_bad_value_is_reported_with_its_line() {
        for (content, part) in
            [("1\nx\n", ":2: \"x\""), ("-1", ":1: \"-1\""), ("nan", "\"nan\""), ("", "no values")]
        {
            let error = values(written(content.as_bytes()).path()).expect_err(content);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_no_text_file_is_refused_with_the_reason() {
        let file = written(b"ab\n\xff");
        assert!(text(file.path(), 10).expect_err("binary").contains("line 2 is not UTF-8"));
        assert!(text(file.path(), 2).expect_err("too long").contains("larger than 2 B"));
        assert!(text(Path::new("/"), 9).expect_err("directory").contains("a directory"));
        let missing = text(Path::new("/no/such/file"), 9).expect_err("missing");
        assert!(missing.contains("no such file"), "{missing}");
    }
}

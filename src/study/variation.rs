//! Settings that take several values, and the variants of a scenario that follow.
//!
//! ```text
//! gateway.replicas=2,3             two values
//! traffic.rate=100/s..2000/s:20    twenty values, evenly spaced, both ends included
//! startup.boot=uniform(2s, 6s)     one value: commas in brackets and quotes separate nothing
//! ```

use crate::diagnostic::{Flaw, clip};

/// The most values of one setting.
pub const VALUES_MOST: usize = 1_000;

/// A setting with the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Its path, such as `traffic.rate`.
    pub path: String,
    /// The values as they would be written in a scenario; at least one.
    pub values: Vec<String>,
}

/// One choice of a value for each of several settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variation {
    /// What sets it apart: the settings that take several values, with theirs.
    pub name: String,
    /// All of it as changes to a scenario, such as `gateway.replicas=3`.
    pub changes: Vec<String>,
}

impl Axis {
    /// Reads `PATH=VALUES`.
    ///
    /// # Errors
    /// It has no path or value, or is a range that makes no sense.
    pub fn read(text: &str) -> Result<Axis, Flaw> {
        let help = "write PATH=VALUE, PATH=VALUE,VALUE or PATH=FROM..TO:NUMBER";
        let flaw = |title: String| Flaw { help: Some(help.to_owned()), ..Flaw::new(title) };
        let parts = text.split_once('=').map(|(path, values)| (path.trim(), values.trim()));
        let Some((path, values)) =
            parts.filter(|(path, values)| !path.is_empty() && !values.is_empty())
        else {
            return Err(flaw(format!("{:?} sets nothing", clip(text))));
        };
        if let Some(range) = uncounted(values) {
            let title = format!("the range {values:?} does not say how many values it has");
            return Err(Flaw::new(title).help(format!("write {path}={range}")));
        }
        let values = match range(values) {
            Some(range) => range.map_err(flaw)?,
            None => split(values),
        };
        if values.iter().any(String::is_empty) {
            return Err(flaw(format!("{:?} has an empty value", clip(text))));
        }
        Ok(Axis { path: path.to_owned(), values })
    }

    /// Whether it takes more than one value.
    pub fn varies(&self) -> bool {
        self.values.len() > 1
    }

    /// The values as numbers with their common unit; `None` if they are not such.
    pub fn numbers(&self) -> Option<(Vec<f64>, String)> {
        let all: Option<Vec<(f64, &str)>> = self.values.iter().map(|value| number(value)).collect();
        let all = all?;
        let unit = all.first()?.1;
        let same = all.iter().all(|(_, other)| *other == unit);
        same.then(|| (all.iter().map(|(value, _)| *value).collect(), unit.to_owned()))
    }
}

/// Every choice of one value for each axis; the last axis changes fastest.
pub fn cross(axes: &[Axis]) -> Vec<Variation> {
    let each = |axis: &Axis| {
        let one = |value: &String| {
            let change = format!("{}={value}", axis.path);
            let name = if axis.varies() { change.clone() } else { String::new() };
            Variation { name, changes: vec![change] }
        };
        axis.values.iter().map(one).collect()
    };
    products(&axes.iter().map(each).collect::<Vec<_>>())
}

/// Every choice from the lists, one from each: the names joined, the changes after one another.
pub fn products(lists: &[Vec<Variation>]) -> Vec<Variation> {
    let mut all = vec![Variation::default()];
    for list in lists.iter().filter(|list| !list.is_empty()) {
        let join = |one: &Variation| {
            let with = |next: &Variation| {
                let names = [one.name.as_str(), next.name.as_str()];
                let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
                let changes = one.changes.iter().chain(&next.changes).cloned().collect();
                Variation { name: names.join(", "), changes }
            };
            list.iter().map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(join).collect();
    }
    all
}

/// A range of evenly spaced values, if `text` is meant as one.
fn range(text: &str) -> Option<Result<Vec<String>, String>> {
    let (ends, count) = text.rsplit_once(':')?;
    let (from, to) = ends.split_once("..")?;
    Some(spaced(from.trim(), to.trim(), count.trim()))
}

/// What a range without a number of values was probably meant to be: `2..6` is `2..6:5`.
fn uncounted(text: &str) -> Option<String> {
    /// As many as a person would write down one by one.
    const STEPS_MOST: f64 = 20.0;
    let (from, to) = text.split_once("..").filter(|_| !text.contains(':'))?;
    let (from, to) = (from.trim(), to.trim().trim_start_matches('='));
    let ((first, unit), (last, same)) = (number(from)?, number(to)?);
    if !unit.is_empty() && !same.is_empty() && unit != same {
        return None;
    }
    let steps = (last - first).abs();
    let by_ones =
        first.fract() == 0.0 && last.fract() == 0.0 && (1.0..=STEPS_MOST).contains(&steps);
    let count = if by_ones { steps as usize + 1 } else { 10 };
    // A unit that stands at one end is meant at both.
    let unit = if unit.is_empty() { same } else { unit };
    Some(format!("{first}{unit}..{last}{unit}:{count}"))
}

fn spaced(from: &str, to: &str, count: &str) -> Result<Vec<String>, String> {
    let count = count.parse().ok().filter(|count| (2..=VALUES_MOST).contains(count));
    let count = count.ok_or(format!("a range has 2 to {VALUES_MOST} values"))?;
    let ends = number(from).zip(number(to)).filter(|(from, to)| from.1 == to.1);
    let Some(((first, unit), (last, _))) = ends else {
        return Err(format!("{from}..{to} needs a number at both ends, with the same unit"));
    };
    if first == last {
        return Err(format!("{from}..{to} begins where it ends"));
    }
    let value = |step: usize| first + (last - first) * step as f64 / (count - 1) as f64;
    Ok((0..count).map(|step| format!("{}{unit}", rounded(value(step)))).collect())
}

/// A number in at most six significant digits, as short as it can be written.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A number and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let value = text[..end].parse::<f64>().ok()?;
    let unit = &text[end..];
    // What has further digits is more than a number and a unit: 2m30s.
    (!unit.contains(|c: char| c.is_ascii_digit())).then_some((value, unit))
}

/// The parts between commas that are not in brackets or quotes.
fn split(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut parts) = (0_i32, None, vec![String::new()]);
    for c in text.chars() {
        match (c, quoted) {
            ('"' | '\'', None) => quoted = Some(c),
            (c, Some(quote)) if c == quote => quoted = None,
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth -= 1,
            (',', None) if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        Axis::read(text).expect(text).values
    }

    #[test]
    fn values_come_as_one_as_a_list_or_as_a_range() {
        assert_eq!(values("gateway.replicas=3"), ["3"]);
        assert_eq!(values("gateway.tier = small, large"), ["small", "large"]);
        assert_eq!(values("startup.boot=uniform(2s, 6s)"), ["uniform(2s, 6s)"]);
        assert_eq!(
            values("startup.boot=uniform(2s, 6s),\"a, b\""),
            ["uniform(2s, 6s)", "\"a, b\""]
        );
        assert_eq!(values("traffic.rate=100/s..200/s:3"), ["100/s", "150/s", "200/s"]);
        assert_eq!(values("a.b=0.1..0.4:4"), ["0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(values("a.b=2..1:3"), ["2", "1.5", "1"]);
    }

    #[test]
    fn what_is_no_setting_is_explained() {
        for text in ["", "=3", "gateway.replicas=", "a.b=1,,2", "a.b=1..2:1", "a.b=1s..2m:3"] {
            let flaw = Axis::read(text).expect_err(text);
            assert!(flaw.help.unwrap().contains("PATH=FROM..TO:NUMBER"), "{text}");
        }
        assert!(Axis::read("a.b=x..y:3").unwrap_err().title.contains("both ends"));
        assert!(Axis::read("a.b=2m30s..3m30s:3").is_err());
        let uncounted = |text| Axis::read(text).unwrap_err().help.unwrap();
        assert_eq!(uncounted("gateway.replicas=2..6"), "write gateway.replicas=2..6:5");
        assert_eq!(uncounted("gateway.replicas=2..=6"), "write gateway.replicas=2..6:5");
        assert_eq!(uncounted("traffic.rate=100..2000/s"), "write traffic.rate=100/s..2000/s:10");
        assert!(Axis::read("a.b=5..5:3").unwrap_err().title.contains("begins where it ends"));
    }

    #[test]
    fn every_choice_comes_once_and_is_named_by_what_varies() {
        let axes = ["a.x=1,2", "a.y=7", "a.z=p,q"].map(|text| Axis::read(text).unwrap());
        let all = cross(&axes);
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a.x=1, a.z=p", "a.x=1, a.z=q", "a.x=2, a.z=p", "a.x=2, a.z=q"]);
        assert_eq!(all[1].changes, ["a.x=1", "a.y=7", "a.z=q"]);
        assert_eq!(cross(&[]), [Variation::default()]);
    }

    #[test]
    fn numbers_need_one_unit() {
        let numbers = |text: &str| Axis::read(text).unwrap().numbers();
        assert_eq!(numbers("a.b=1/s,2.5/s"), Some((vec![1.0, 2.5], "/s".to_owned())));
        assert_eq!(numbers("a.b=1s,2m"), None);
        assert_eq!(numbers("a.b=small,large"), None);
    }
}

//! Damage: a good text in, a bad one out, from a seed.

use brownout::random::mix;
use brownout::scenario::keys::{reference, section};

/// A source of choices.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64, number: usize) -> Self {
        Chance(mix(seed ^ mix(number as u64 + 1)))
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.0) % count.max(1) as u64) as usize
    }

    pub fn of<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// Values that are seldom meant.
const VALUES: [&str; 46] = [
    "0",
    "-1",
    "1",
    "2",
    "1e18",
    "1e308",
    "-1e308",
    "nan",
    "inf",
    "18446744073709551615",
    "9223372036854775807",
    "0.5",
    "1e-300",
    "true",
    "[]",
    "{}",
    "[[[]]]",
    "[1, 2]",
    "[\"\"]",
    "[\"a\", \"a\"]",
    "\"\"",
    "\" \"",
    "\"0s\"",
    "\"1ns\"",
    "\"36500d\"",
    "\"99999999999d\"",
    "\"1e9/s\"",
    "\"1000000000000/s\"",
    "\"0/s\"",
    "\"1/h\"",
    "\"100%\"",
    "\"0%\"",
    "\"101%\"",
    "\"exponential(30d)\"",
    "\"exponential(1ns)\"",
    "\"uniform(1s, 0s)\"",
    "\"normal(0s, 1s)\"",
    "\"log-normal(1s, cv=1e9)\"",
    "\"empirical(1ms)\"",
    "\"empirical()\"",
    "\"any\"",
    "\"all\"",
    "\"zone b\"",
    "\"\\u0000\"",
    "1979-05-27",
    "\"e\u{301}\u{202e}\u{1f600}\"",
];

/// Damages a text in one to four ways.
pub fn damage(text: &str, chance: &mut Chance) -> String {
    let mut text = text.to_owned();
    for _ in 0..=chance.below(4) {
        text = match chance.below(9) {
            0 => without_a_line(&text, chance),
            1 => with_a_line_twice(&text, chance),
            2 | 3 => with_another_value(&text, chance),
            4 => with_a_further_key(&text, chance),
            5 | 6 => with_another_number(&text, chance),
            7 => with_another_byte(&text, chance),
            _ => cut(&text, chance),
        };
    }
    text
}

/// A value that is seldom meant; now and then one of great length.
pub fn value(chance: &mut Chance) -> String {
    match chance.below(40) {
        0 => format!("\"{}\"", "x".repeat(70_000)),
        1 => format!("[{}]", "\"a\",".repeat(2_000)),
        2 => format!("\"empirical({}1ms)\"", "1ms,".repeat(17_000)),
        _ => (*chance.of(&VALUES)).to_owned(),
    }
}

/// A path of a setting, as `--set` has it.
pub fn path(chance: &mut Chance) -> String {
    let keys: Vec<_> = reference().collect();
    let key = chance.of(&keys);
    match (key.section, section(key.section).is_some_and(|section| section.list)) {
        ("", _) => key.name.to_owned(),
        (home, true) => format!("{home}[{}].{}", 1 + chance.below(2), key.name),
        (home, false) => format!("{home}.{}", key.name),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

fn without_a_line(text: &str, chance: &mut Chance) -> String {
    let mut lines = lines(text);
    lines.remove(chance.below(lines.len()));
    lines.join("\n")
}

fn with_a_line_twice(text: &str, chance: &mut Chance) -> String {
    let mut lines = lines(text);
    let line = chance.of(&lines).clone();
    lines.insert(chance.below(lines.len() + 1), line);
    lines.join("\n")
}

fn with_another_value(text: &str, chance: &mut Chance) -> String {
    let mut lines = lines(text);
    let given: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].contains('=')).collect();
    if !given.is_empty() {
        let line = *chance.of(&given);
        let (key, _) = lines[line].split_once('=').unwrap_or_default();
        lines[line] = format!("{key}= {}", value(chance));
    }
    lines.join("\n")
}

fn with_a_further_key(text: &str, chance: &mut Chance) -> String {
    let keys: Vec<_> = reference().collect();
    let key = chance.of(&keys);
    let line = format!("{} = {}", key.name, value(chance));
    let header = section(key.section).map(|section| section.header()).unwrap_or_default();
    let mut lines = lines(text);
    match lines.iter().position(|line| !header.is_empty() && line.trim() == header) {
        Some(place) => lines.insert(place + 1, line),
        None if header.is_empty() => lines.insert(0, line),
        None => lines.extend([header, line]),
    }
    lines.join("\n")
}

fn with_another_number(text: &str, chance: &mut Chance) -> String {
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(at, c)| {
            c.is_ascii_digit() && !text[..*at].ends_with(|c: char| c.is_ascii_digit())
        })
        .map(|(at, _)| at)
        .collect();
    if starts.is_empty() {
        return text.to_owned();
    }
    let start = *chance.of(&starts);
    let length = text[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - start);
    let old = &text[start..start + length];
    let new = match chance.below(6) {
        0 => "0".to_owned(),
        1 => format!("{old}00"),
        2 => format!("{old}000000000000"),
        3 => format!("-{old}"),
        4 => "18446744073709551615".to_owned(),
        _ => chance.below(1_000).to_string(),
    };
    format!("{}{new}{}", &text[..start], &text[start + length..])
}

fn with_another_byte(text: &str, chance: &mut Chance) -> String {
    let mut all: Vec<char> = text.chars().collect();
    if !all.is_empty() {
        let place = chance.below(all.len());
        all[place] = *chance.of(&['"', '[', ']', '=', '\n', '0', '.', ',', '{', '\u{0}', 'é', '-']);
    }
    all.into_iter().collect()
}

fn cut(text: &str, chance: &mut Chance) -> String {
    text.chars().take(chance.below(text.len() + 1)).collect()
}

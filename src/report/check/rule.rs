//! What a kind of problem is called: the words of its title that are the same wherever it occurs.

use crate::diagnostic::Problem;

/// Words of a name at most.
const WORDS_MOST: usize = 7;

/// The words of a title that do not change: not what is quoted, and no names, paths and numbers.
pub(super) fn words(problem: &Problem) -> Vec<String> {
    let (mut plain, mut quote) = (String::new(), None);
    for c in problem.title.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if c == '[' => quote = Some(']'),
            None => plain.push(c),
        }
    }
    let is_fixed = |word: &&str| {
        let bare = word.trim_end_matches([',', ':', ';', '.']);
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\''))
    };
    let fixed = plain.split_whitespace().filter(is_fixed);
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    fixed.map(bare).filter(|word| !word.is_empty()).take(WORDS_MOST).collect()
}

/// The name for programs: `is-out-of-range`, `unknown-key-in`.
pub(super) fn id(problem: &Problem) -> String {
    let words = words(problem);
    if words.is_empty() { "problem".to_owned() } else { words.join("-").to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn a_problem_is_called_by_what_is_not_of_this_file() {
        let of = |title: &str| id(&Problem::error(Place::Whole, title));
        assert_eq!(of("unknown key `teir` in [gateway]"), "unknown-key-in");
        assert_eq!(of("unknown key `sead` in [run]"), "unknown-key-in");
        assert_eq!(of("`gateway.replicas` is out of range"), "is-out-of-range");
        assert_eq!(of("\"900\" is no rate"), "is-no-rate");
        assert_eq!(of("the load of 1600/s is above 1430/s"), "the-load-of-is-above");
        assert_eq!(of("cannot read nowhere.csv: there is no such file"), {
            "cannot-read-there-is-no-such-file"
        });
        assert_eq!(of("\"a\""), "problem");
    }
}

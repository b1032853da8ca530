//! What limits the figures of a study: each caveat once, with the variants that it concerns.

use crate::report::caveats::caveat::{Assumption, Caveat};

/// Caveats that are said as one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    kind: String,
    /// What is the matter and what to do about it, of the gravest.
    pub(crate) text: String,
    gravity: f64,
    /// The variants that it concerns, by their index.
    pub(crate) whose: Vec<usize>,
    /// The variant of the gravest.
    pub(crate) gravest: usize,
    /// Whether all say the same.
    pub(crate) alike: bool,
}

/// The caveats of several variants.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    found: Vec<Found>,
    /// Settings that nobody publishes, with their different values.
    assumed: Vec<(String, Vec<String>)>,
}

impl Limits {
    /// Notes the caveats of a variant. Those of the same `kind` are said as one.
    pub(crate) fn note(&mut self, caveats: &[Caveat], who: usize, kind: fn(&Caveat) -> String) {
        for caveat in caveats {
            match caveat {
                Caveat::Assumed { settings } => self.note_assumed(settings),
                // Studies write no file of events.
                Caveat::EventsCut { .. } => {}
                _ => self.note_one(caveat, who, kind(caveat)),
            }
        }
    }

    fn note_one(&mut self, caveat: &Caveat, who: usize, kind: String) {
        let (text, gravity) = (caveat.text(), gravity(caveat));
        let Some(known) = self.found.iter_mut().find(|known| known.kind == kind) else {
            let (whose, gravest, alike) = (vec![who], who, true);
            self.found.push(Found { kind, text, gravity, whose, gravest, alike });
            return;
        };
        known.whose.push(who);
        known.alike &= known.text == text;
        if gravity > known.gravity {
            (known.text, known.gravity, known.gravest) = (text, gravity, who);
        }
    }

    fn note_assumed(&mut self, settings: &[Assumption]) {
        for Assumption { path, value, .. } in settings {
            match self.assumed.iter_mut().find(|(known, _)| known == path) {
                Some((_, values)) if values.contains(value) => {}
                Some((_, values)) => values.push(value.clone()),
                None => self.assumed.push((path.clone(), vec![value.clone()])),
            }
        }
    }

    /// All in words; `whose` says whom a caveat concerns, or nothing if all.
    pub(crate) fn texts(&self, whose: impl Fn(&Found) -> String) -> Vec<String> {
        let told = self.found.iter().map(|found| match whose(found) {
            nobody if nobody.is_empty() => found.text.clone(),
            somebody => format!("{somebody}: {}", found.text),
        });
        told.chain(self.assumed()).collect()
    }

    /// What the variants assume, with the values where they are the same.
    fn assumed(&self) -> Option<String> {
        let one = |(path, values): &(String, Vec<String>)| match &values[..] {
            [value] => format!("{path} = {value}"),
            _ => format!("{path} (differs)"),
        };
        let list: Vec<String> = self.assumed.iter().map(one).collect();
        (!list.is_empty()).then(|| {
            let list = list.join(", ");
            format!(
                "assumed by default, because nothing is published: {list} → write down your own"
            )
        })
    }
}

/// What it is, without how much.
pub(crate) fn kind(caveat: &Caveat) -> String {
    let of = match caveat {
        Caveat::FewSamples { window, .. } | Caveat::WideInterval { window, .. } => window,
        Caveat::SlowOverload { fault, .. } | Caveat::FaultMissed { fault, .. } => fault,
        _ => "",
    };
    format!("{} {of}", caveat.key())
}

/// The greater, the graver, among those of a kind.
fn gravity(caveat: &Caveat) -> f64 {
    match caveat {
        Caveat::FewSamples { needed, .. } | Caveat::WideInterval { needed, .. } => *needed as f64,
        Caveat::Overload { utilisation, .. }
        | Caveat::NoSpare { utilisation, .. }
        | Caveat::RegionSpare { utilisation, .. }
        | Caveat::UnevenZones { utilisation, .. }
        | Caveat::SlowOverload { utilisation, .. } => *utilisation,
        Caveat::WarmUpShort { means, .. } => means.1.as_secs() / means.0.as_secs(),
        Caveat::OutOfMemory { killed, .. } => *killed,
        Caveat::MemoryUnknown { peak, .. } => *peak as f64,
        Caveat::Unrecovered { incidents } => *incidents as f64,
        Caveat::Unanswered { share, .. } => *share,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overload(utilisation: f64) -> Caveat {
        Caveat::Overload { load: "9/s".to_owned(), utilisation }
    }

    fn assumed(value: &str) -> Caveat {
        let (path, source) = ("gateway.cores".to_owned(), String::new());
        Caveat::Assumed { settings: vec![Assumption { path, value: value.to_owned(), source }] }
    }

    #[test]
    fn caveats_of_a_kind_are_said_once_by_the_gravest() {
        let mut limits = Limits::default();
        let alone = || Caveat::OneReplication { mean: None, until: None };
        limits.note(&[alone(), overload(1.1)], 0, kind);
        limits.note(&[alone(), overload(1.3)], 1, kind);
        limits.note(&[alone(), overload(1.2)], 2, kind);
        let [one, load] = &limits.found[..] else { panic!("{limits:?}") };
        assert!(one.alike && one.whose == [0, 1, 2]);
        assert!(!load.alike && load.gravest == 1 && load.text.contains("130 %"), "{load:?}");
        let texts = limits.texts(|found| found.gravest.to_string());
        assert!(texts[0].starts_with("0: one replication"), "{texts:?}");
        assert!(texts[1].starts_with("1: 9/s is 130 %"), "{texts:?}");
    }

    #[test]
    fn caveats_are_told_apart_by_their_text_if_asked_for() {
        let mut limits = Limits::default();
        limits.note(&[overload(1.1)], 0, Caveat::text);
        limits.note(&[overload(1.3)], 1, Caveat::text);
        assert_eq!(limits.found.len(), 2);
    }

    #[test]
    fn what_is_assumed_has_its_value_if_all_have_it() {
        let mut limits = Limits::default();
        limits.note(&[assumed("1")], 0, kind);
        assert!(limits.assumed().unwrap().contains("gateway.cores = 1 →"));
        limits.note(&[assumed("2"), Caveat::EventsCut { kept: 1, beyond: 1 }], 1, kind);
        assert!(limits.assumed().unwrap().contains("gateway.cores (differs)"));
        assert!(limits.found.is_empty());
        assert!(Limits::default().texts(|_| String::new()).is_empty());
    }
}

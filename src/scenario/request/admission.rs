//! Admission control, of ingress instances and of replicas towards their upstreams: one reading for
//! both.

use crate::policy::admission::AdmissionSpec;
use crate::scenario::reader::{SectionReader, TypedKey};
use crate::units::{Rate, SECOND, Share, Span};

/// The keys of a section that say when how much is turned away.
pub(crate) struct AdmissionKeys {
    pub(crate) on: TypedKey<bool>,
    pub(crate) window: TypedKey<Span>,
    pub(crate) success: TypedKey<Share>,
    pub(crate) aggression: TypedKey<f64>,
    pub(crate) least: TypedKey<Rate>,
    pub(crate) most: TypedKey<Share>,
}

/// Admission control, if it is asked for.
pub(crate) fn read(section: &SectionReader<'_>, keys: &AdmissionKeys) -> Option<AdmissionSpec> {
    let on = section.parsed(keys.on);
    if !on.value {
        return None;
    }
    let usual = AdmissionSpec::default();
    let of = |key: &str| format!("`{}.{key}`", keys.on.section);
    let window = section.parsed(keys.window);
    if window.value.0 < SECOND {
        let title = format!("{} is shorter than a second", of("admission-window"));
        section.error(&window, title, "answers are counted by the second: write 1s or more");
    }
    let success = section.parsed(keys.success);
    if success.value == Share::ZERO {
        let title = format!("{} of nothing is always reached", of("admission-success"));
        section.error(&success, title, "write a share such as \"95%\"");
    }
    let aggression = section.parsed(keys.aggression);
    if aggression.value < 1.0 {
        let title = format!("{} is below 1", of("admission-aggression"));
        section.error(&aggression, title, "1 turns away in proportion, more is more at once");
    }
    let most = section.parsed(keys.most);
    if most.value == Share::ZERO {
        let title = format!("{} has no effect", of("admission-control"));
        section.warn(&most, title, "nothing is ever turned away: raise `admission-most`");
    }
    Some(AdmissionSpec {
        window: window.value.max(usual.window.min(Span(SECOND))),
        success: if success.value > Share::ZERO { success.value } else { usual.success },
        aggression: aggression.value.max(1.0),
        least: section.get(keys.least),
        most: most.value,
    })
}

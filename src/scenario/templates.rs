//! Scenarios to begin with: what `brownout init` writes.
//!
//! Each is a commented file that is sound as it is. Its first line names a schema that lies beside
//! it, so that an editor needs no network, and knows the keys of this very version.

/// The name under which the schema lies beside a scenario.
pub const SCHEMA: &str = "brownout.schema.json";

/// A scenario to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// What it is asked for by, and the name of its file.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The file.
    pub text: &'static str,
    /// The command that answers its question.
    pub command: &'static str,
}

/// One line of the table: the file of a template is named after it.
macro_rules! template {
    ($name:literal, $command:literal, $about:literal) => {
        Template {
            name: $name,
            about: $about,
            text: include_str!(concat!("templates/", $name, ".toml")),
            command: $command,
        }
    };
}

/// All of them; the first is the usual case of the product.
pub static TEMPLATES: [Template; 8] = [
    template!(
        "autoscaled",
        "run",
        "a pair of Large that scales, with a step of the load and a crash"
    ),
    template!("steady", "run", "nothing fails: the latency at a rate"),
    template!("replica-crash", "run", "a replica crashes"),
    template!("zone-loss", "run", "a zone is lost"),
    template!("rollout", "run", "every replica is replaced by a new version"),
    template!("region-loss", "run", "a region is lost, and another one stands by"),
    template!("capacity", "plan", "which tier carries the traffic when something is lost"),
    template!("availability", "availability", "what faults cost in months and years"),
];

/// The template of this name.
pub fn named(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::render;
    use crate::scenario::read::parse;

    #[test]
    fn every_template_is_sound_and_names_its_schema() {
        for template in TEMPLATES {
            let loaded = parse(template.name, template.text, Path::new(""));
            let shown = render(&loaded.source, &loaded.problems, false);
            assert!(loaded.scenario.is_some() && shown.is_empty(), "{shown}");
            let first = template.text.lines().next().unwrap();
            assert_eq!(first, format!("#:schema ./{SCHEMA}"));
            assert!(template.text.lines().all(|line| line.chars().count() <= 100));
        }
    }
}

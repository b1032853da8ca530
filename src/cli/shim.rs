//! Stands in for `diagnostic` and `scenario::read` until they are there: any TOML file stands for
//! the sample plan, with the file's question, seed, replications and objectives.

pub(super) mod diagnostic {
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(in crate::cli) enum Severity {
        Error,
        Warning,
    }

    pub(in crate::cli) struct Problem {
        pub(in crate::cli) severity: Severity,
        pub(in crate::cli) title: String,
    }

    pub(in crate::cli) struct Source {
        pub(in crate::cli) name: String,
    }

    pub(in crate::cli) fn render(source: &Source, problems: &[Problem], _colour: bool) -> String {
        let word = |problem: &Problem| match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let line = |p: &Problem| format!("{}: {}: {}\n", word(p), source.name, p.title);
        problems.iter().map(line).collect()
    }
}

pub(super) mod read {
    use std::path::Path;

    use super::diagnostic::{Problem, Severity, Source};
    use crate::experiment::sample;
    use crate::objective::{Bound, Metric, Objective, Relation};
    use crate::quantity;
    use crate::scenario::{Mark, Scenario, Setting};
    use crate::units::Instant;

    pub(in crate::cli) struct Loaded {
        pub(in crate::cli) scenario: Option<Scenario>,
        pub(in crate::cli) problems: Vec<Problem>,
        pub(in crate::cli) source: Source,
    }

    pub(in crate::cli) fn load(path: &Path) -> Loaded {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => parse(&name, &text, path),
            Err(error) => failed(name, error.to_string()),
        }
    }

    pub(in crate::cli) fn parse(name: &str, text: &str, _base: &Path) -> Loaded {
        match scenario(name, text) {
            Ok(scenario) => {
                let source = Source { name: name.to_owned() };
                Loaded { scenario: Some(scenario), problems: Vec::new(), source }
            }
            Err(title) => failed(name.to_owned(), title),
        }
    }

    fn failed(name: String, title: String) -> Loaded {
        let problems = vec![Problem { severity: Severity::Error, title }];
        Loaded { scenario: None, problems, source: Source { name } }
    }

    fn scenario(name: &str, text: &str) -> Result<Scenario, String> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let mut plan = sample::plan();
        let run = table.get("run").and_then(|run| run.as_table());
        let number = |key| run.and_then(|run| run.get(key)).and_then(|value| value.as_integer());
        plan.run.seed = number("seed").map_or(1, |seed| seed as u64);
        plan.run.replications = number("replications").map_or(10, |count| count as usize);
        let time = |key: &str, default: Instant| -> Result<Instant, String> {
            let text = run.and_then(|run| run.get(key)).and_then(|value| value.as_str());
            text.map_or(Ok(default), |text| Ok(Instant(quantity::span(text)?.0)))
        };
        plan.run.horizon = time("horizon", plan.run.horizon)?;
        plan.run.warm_up = time("warm-up", plan.run.warm_up)?;
        plan.run.bin = crate::model::plan::Run::bin_for(plan.run.horizon);
        let wanted = table.get("objectives").and_then(|value| value.as_array());
        let texts = wanted.into_iter().flatten().filter_map(|value| value.as_str());
        let objectives = texts.map(objective).collect::<Result<_, _>>()?;
        let question = table.get("question").and_then(|value| value.as_str());
        let stem = Path::new(name).file_stem().unwrap_or_default();
        let setting = Setting {
            path: "gateway.cores".to_owned(),
            value: "1 vCPU".to_owned(),
            mark: Mark::Assumed,
            source: "the tier; no CPU limits are published".to_owned(),
        };
        Ok(Scenario {
            path: name.into(),
            name: stem.to_string_lossy().into(),
            question: question.ok_or("the question is missing")?.to_owned(),
            text: text.to_owned(),
            plan,
            objectives,
            settings: vec![setting],
        })
    }

    fn objective(text: &str) -> Result<Objective, String> {
        let [metric, relation, bound] = text.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            return Err(format!("{text:?} is no objective"));
        };
        let metric = match metric {
            "availability" => Metric::Availability,
            "recovery" => Metric::Recovery,
            _ => Metric::Latency(0.99),
        };
        let relation = if relation == "<" { Relation::Below } else { Relation::AtLeast };
        let bound = match metric {
            Metric::Availability => Bound::Share(quantity::share(bound)?),
            _ => Bound::Span(quantity::span(bound)?),
        };
        Ok(Objective { text: text.to_owned(), metric, relation, bound, window: 0 })
    }
}

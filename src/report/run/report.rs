//! An experiment with all that is said of it.

use crate::experiment::Experiment;
use crate::experiment::summary::{Summary, summarize};
use crate::report::caveats::caveat::Caveat;
use crate::report::caveats::find;
use crate::scenario::Scenario;
use crate::verdict::{DisruptionRow, Judgement, Overall, disruptions, judge_all, overall};

/// An experiment with all that is said of it.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What was asked.
    pub scenario: &'a Scenario,
    /// What was simulated.
    pub experiment: &'a Experiment,
    /// Every so-manyth request of the replication that is told was kept, if any.
    pub requests_every: Option<u64>,
    /// Its figures.
    pub summary: Summary,
    /// The judgement on each objective, in their order.
    pub judgements: Vec<Judgement>,
    /// Recovery times and points, disruption by disruption; empty where nobody asks for them.
    pub disruptions: Vec<DisruptionRow>,
    /// What limits the figures.
    pub caveats: Vec<Caveat>,
}

impl<'a> Report<'a> {
    /// Sums up and judges an experiment on a scenario.
    pub fn new(
        scenario: &'a Scenario,
        experiment: &'a Experiment,
        requests_every: Option<u64>,
    ) -> Self {
        let summary = summarize(&scenario.plan, &experiment.outcomes, experiment.confidence);
        let judgements = judge_all(experiment, &scenario.objectives);
        let caveats = find::caveats_of(scenario, experiment, &summary);
        let disruptions = disruptions(experiment, &scenario.plan, &scenario.objectives);
        Report { scenario, experiment, requests_every, summary, judgements, disruptions, caveats }
    }

    /// The judgement on all objectives together.
    pub fn overall(&self) -> Overall {
        overall(&self.judgements)
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::experiment::tests::example;
    use crate::objective::{Bound, Metric, Objective, Relation};
    use crate::scenario::{Mark, Setting};
    use crate::units::{Share, Span};

    pub(crate) fn scenario() -> Scenario {
        let objective = |text: &str, metric, relation, bound, window| Objective {
            text: text.to_owned(),
            metric,
            relation,
            bound,
            window,
        };
        let (below, least) = (Relation::Below, Relation::AtLeast);
        let setting = |path: &str, value: &str, mark, source: &str| Setting {
            path: path.to_owned(),
            value: value.to_owned(),
            mark,
            source: source.to_owned(),
        };
        Scenario {
            path: "scenarios/one-crash.toml".into(),
            name: "one-crash".to_owned(),
            question: "Does one replica carry the load while the other comes back?".to_owned(),
            text: "question = \"Does one replica carry the load?\"\n".to_owned(),
            changes: Vec::new(),
            plan: example::plan(),
            objectives: vec![
                objective(
                    "p99 < 250ms",
                    Metric::SentLatency(0.99),
                    below,
                    Bound::Span(Span::from_secs(0.25)),
                    0,
                ),
                objective(
                    "availability >= 99.9%",
                    Metric::Availability,
                    least,
                    Bound::Share(Share(0.999)),
                    0,
                ),
                objective(
                    "recovery < 15s",
                    Metric::RECOVERY,
                    below,
                    Bound::Span(Span::from_secs(15.0)),
                    1,
                ),
            ],
            budgets: Vec::new(),
            settings: vec![
                setting("gateway.replicas", "2", Mark::Given, "this file"),
                setting("gateway.cores", "1 vCPU", Mark::Assumed, "no CPU limits are published"),
            ],
            what_if: None,
            replay_said: Vec::new(),
        }
    }
}

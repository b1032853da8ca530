//! Scenarios in which faults strike at random: seldom, often, several kinds, together.

/// A scenario with what is asked of it.
pub struct Case {
    /// How the table calls it.
    pub name: &'static str,
    /// Replications of an experiment.
    pub replications: usize,
    /// Figures as objectives name them.
    pub figures: &'static [&'static str],
    /// Whether faults strike so often that objectives must be decided.
    pub frequent: bool,
    /// The load; and a lighter one with which a sample is made, of few experiments.
    pub rates: (&'static str, Option<&'static str>),
    /// The scenario without its objectives, with `RATE` for the load.
    pub text: &'static str,
}

/// A node is lost every 30 days, a day is simulated: one strike is expected in ten replications.
pub const NODE: Case = Case {
    name: "a node every 30 days, a day",
    replications: 10,
    figures: &["availability", "p99.9", "recovery"],
    frequent: false,
    rates: ("5/s", Some("0.5/s")),
    text: "[gateway]\ntier = \"large\"\nreplicas = 3\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"node\"\nkind = \"node-loss\"\nevery = \"exponential(30d)\"\n\
           for = \"10m\"\n[run]\nhorizon = \"1d\"\n",
};

/// The survivor is saturated: a sixth of the replications has a tail a thousand times as long.
pub const TAIL: Case = Case {
    name: "a node every day, 2 h, saturated",
    replications: 10,
    figures: &["p99.9", "p99", "mean", "availability"],
    frequent: false,
    rates: ("70/s", None),
    text: "[gateway]\ntier = \"small\"\nreplicas = 2\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"node\"\nkind = \"node-loss\"\nevery = \"exponential(1d)\"\n\
           for = \"10m\"\n[run]\nhorizon = \"2h\"\n",
};

/// The survivor of two is twice as busy for minutes, in 15 of 100 replications.
pub const BUSY: Case = Case {
    name: "a node every 4 h, 20 min, two replicas",
    replications: 10,
    figures: &["cpu as monitored", "cpu"],
    frequent: false,
    rates: ("50/s", Some("50/s")),
    text: "[gateway]\ntier = \"small\"\nreplicas = 2\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"node\"\nkind = \"node-loss\"\nevery = \"exponential(4h)\"\n\
           for = \"5m\"\n[run]\nhorizon = \"20m\"\n",
};

/// Each of three replicas crashes once a day, ten times ten minutes are simulated.
pub const CRASH: Case = Case {
    name: "a crash of each replica a day, 10 min",
    replications: 10,
    figures: &["availability", "p99.9"],
    frequent: false,
    rates: ("900/s", None),
    text: "[gateway]\ntier = \"large\"\nreplicas = 3\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nevery = \"exponential(1d)\"\n\
           [run]\nhorizon = \"10m\"\n",
};

/// `scenarios/random-failures-day.toml` at a fortieth of its load.
pub const DAY: Case = Case {
    name: "a day with crashes, hangs, zones",
    replications: 3,
    figures: &["availability", "recovery", "p99"],
    frequent: false,
    rates: ("5/s", None),
    text: "[gateway]\nreplicas = 3\n[traffic]\nrate = \"RATE\"\ndaily = [\n\
           0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.2, 1.6, 1.8, 1.9, 1.8,\n\
           1.7, 1.8, 1.8, 1.7, 1.5, 1.3, 1.1, 0.9, 0.8, 0.6, 0.5, 0.4,\n]\n\
           [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nevery = \"exponential(8h)\"\n\
           [[fault]]\nname = \"hang\"\nkind = \"replica-hang\"\nevery = \"exponential(1d)\"\n\
           [[fault]]\nname = \"zone\"\nkind = \"zone-outage\"\nevery = \"exponential(4d)\"\n\
           for = \"log-normal(1h, cv=0.8)\"\n[run]\nhorizon = \"1d\"\n",
};

/// Crashes are frequent and cost little, the loss of a zone is rare and costs much.
pub const TWO: Case = Case {
    name: "crashes often, a zone seldom",
    replications: 10,
    figures: &["availability", "p99.9 of served", "recovery"],
    frequent: false,
    rates: ("10/s", None),
    text: "[gateway]\ntier = \"small\"\nreplicas = 3\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nevery = \"exponential(2h)\"\n\
           [[fault]]\nname = \"zone\"\nkind = \"zone-outage\"\nevery = \"exponential(5d)\"\n\
           for = \"10m\"\n[run]\nhorizon = \"4h\"\n",
};

/// A zone takes half of the replicas, and what is left crashes while it is away.
pub const TOGETHER: Case = Case {
    name: "zones and replicas at the same time",
    replications: 10,
    figures: &["availability", "p99.9 of served", "recovery"],
    frequent: false,
    rates: ("5/s", Some("2/s")),
    text: "[gateway]\ntier = \"small\"\nreplicas = 2\n[topology]\nzones = [\"a\", \"b\"]\n\
           [traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"hang\"\nkind = \"replica-hang\"\nevery = \"exponential(1h)\"\n\
           [[fault]]\nname = \"zone\"\nkind = \"zone-outage\"\nevery = \"exponential(10h)\"\n\
           for = \"log-normal(20m, cv=0.8)\"\n[run]\nhorizon = \"2h\"\n",
};

/// A hundred crashes are expected in ten replications.
pub const OFTEN: Case = Case {
    name: "a crash of each replica in 20 min, 1 h",
    replications: 10,
    figures: &["availability", "p99", "p99.9 of served", "mean", "recovery"],
    frequent: true,
    rates: ("20/s", Some("10/s")),
    text: "[gateway]\ntier = \"small\"\nreplicas = 3\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nevery = \"exponential(20m)\"\n\
           [run]\nhorizon = \"1h\"\n",
};

/// Nothing strikes at random: every replication is like the others.
pub const NEVER: Case = Case {
    name: "a crash at a given time",
    replications: 10,
    figures: &["availability", "p99", "mean", "recovery"],
    frequent: true,
    rates: ("20/s", Some("10/s")),
    text: "[gateway]\ntier = \"small\"\nreplicas = 3\n[traffic]\nrate = \"RATE\"\n\
           [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\ntarget = \"any\"\nat = \"5m\"\n\
           [run]\nhorizon = \"10m\"\n",
};

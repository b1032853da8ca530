//! A scenario before anything runs, in text: the resolved plan, what theory predicts of it, where
//! each setting comes from, and what the run will cost.

use crate::report::caveats::find::greatest_load;
use crate::report::format::page::Paint;
use crate::report::format::table::Table;
use crate::report::format::words::{plural, whole, wrapped};
use crate::report::settings;
use crate::scenario::{Mark, Scenario, Setting};
use crate::study::forecast::{LoadForecast, LossForecast, Prediction, forecast};
use crate::units::{Rate, Span, three_digits};

/// Requests that one core simulates in a second: of a plain gateway, and where requests are
/// followed one by one (docs/performance.md).
const PER_SECOND: f64 = 10e6;
const PER_SECOND_FOLLOWED: f64 = 3e6;
/// The marks in the order in which one may rely on them.
const MARKS: [Mark; 5] =
    [Mark::Given, Mark::Documented, Mark::Measured, Mark::Inferred, Mark::Assumed];

/// All that is known of a scenario without a run; `whole` = every setting is listed.
pub fn text(scenario: &Scenario, whole: bool, colour: bool) -> String {
    let paint = Paint { colour };
    let found = forecast(&scenario.plan);
    let mut sections = vec![head(scenario)];
    match &found {
        Some(found) => sections.extend([
            paint
                .section("Utilisation of the CPU, if every request goes all the way", loads(found)),
            paint.section("What theory predicts", predicted(found)),
            paint.section("Faults that take replicas, at the greatest load", losses(found)),
        ]),
        None => sections.push(paint.section("What theory predicts", wrapped("  ", NOT_SAID))),
    }
    sections.push(paint.section("Where settings come from", provenance(scenario, whole)));
    sections.push(paint.section("What the run costs", cost(scenario, found.as_ref())));
    paint.page(sections, None)
}

/// Where theory has nothing simple to say.
const NOT_SAID: &str = "nothing simple: traffic is recorded, or there are several regions";

fn head(scenario: &Scenario) -> String {
    let plan = &scenario.plan;
    let run = &plan.run;
    let tier = scenario.settings.iter().find(|setting| setting.path == "gateway.tier");
    let tier = tier.map_or(String::new(), |tier| format!(" of tier {}", tier.value));
    let (least, most) = (plan.fewest_replicas(), plan.most_replicas());
    let count = if least == most {
        plural(most as u64, "replica")
    } else {
        format!("{least} to {most} replicas")
    };
    let zones = plural(plan.topology.zones.len() as u64, "zone");
    let faults = match plan.faults.len() as u64 {
        0 => "no fault".to_owned(),
        count => plural(count, "fault"),
    };
    let (horizon, warm_up) = (Span(run.horizon.0), Span(run.warm_up.0));
    let replications = plural(run.replications as u64, "replication");
    wrapped("", &format!("{}: {}", scenario.name, scenario.question))
        + &wrapped("  ", &format!("{count}{tier} in {zones}, {faults}"))
        + &wrapped(
            "  ",
            &format!("{replications} of {horizon}, warm-up {warm_up}, seed {}", run.seed),
        )
}

fn loads(found: &Prediction) -> String {
    let mut table = Table::of_numbers().with(["", "load", "replicas", "healthy", "N−1", "N−zone"]);
    let share = |value: Option<f64>| value.map_or("none left".to_owned(), full);
    for LoadForecast { name, rate, replicas, healthy, less_one, less_zone, .. } in &found.loads {
        let cells = [
            name.clone(),
            rate.to_string(),
            whole(*replicas as u64),
            full(*healthy),
            share(*less_one),
            share(*less_zone),
        ];
        table.row(cells);
    }
    table.text() + &wrapped("  → ", &held(found))
}

/// What the gateway holds at all of the loads, or at which it does not.
fn held(found: &Prediction) -> String {
    let over = |value: Option<f64>| value.is_none_or(|value| value > 1.0);
    let first = |is: &dyn Fn(&LoadForecast) -> bool| found.loads.iter().find(|load| is(load));
    if let Some(load) = first(&|load| load.healthy > 1.0) {
        return format!("at {} a backlog grows for as long as that lasts", load.rate);
    }
    if let Some(load) = first(&|load| over(load.less_one)) {
        let rate = load.rate;
        return format!("it does not hold N−1: at {rate} a backlog grows with one replica less");
    }
    match first(&|load| over(load.less_zone)) {
        Some(load) => format!("it holds N−1, and not the loss of a zone at {}", load.rate),
        None => "it holds N−1 and the loss of a zone, as far as CPU goes".to_owned(),
    }
}

/// A utilisation, in whole per cent.
fn full(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn predicted(found: &Prediction) -> String {
    let mut table = Table::default();
    let most = format!("{} each, {} in all", rate(found.each), rate(found.most));
    table.row(["saturation".to_owned(), most]);
    let named = ["at the start", "at the peak"];
    for load in found.loads.iter().filter(|load| named.contains(&load.name.as_str())) {
        let latency = load.latency.map_or("grows without end".to_owned(), |latency| {
            format!(
                "{} at {}, processor sharing with Poisson arrivals",
                rounded(latency),
                load.rate
            )
        });
        table.row([format!("mean latency {}", load.name), latency]);
    }
    let all = found.start.iter().fold(Span::ZERO, |sum, (_, span)| sum + *span);
    let phases: Vec<String> =
        found.start.iter().map(|(name, span)| format!("{name} {}", rounded(*span))).collect();
    let mut out = table.text();
    out += &wrapped("  start of a replica  ", &format!("{}: {}", rounded(all), phases.join(", ")));
    out
}

fn losses(found: &Prediction) -> String {
    found.losses.iter().map(|loss| wrapped(&format!("  {}: ", loss.name), &told(loss))).collect()
}

fn told(loss: &LossForecast) -> String {
    let LossForecast { lost, noticed, started, utilisation, backlog, over, .. } = loss;
    let replicas = plural(*lost as u64, "replica");
    let mut parts = vec![
        format!("takes {replicas}"),
        format!("noticed after {}, replaced {} later", rounded(*noticed), rounded(*started)),
    ];
    parts.push(match utilisation {
        None => "nobody is left meanwhile".to_owned(),
        Some(share) => format!("the others are at {}", full(*share)),
    });
    parts.extend(backlog.map(|(waiting, spike)| {
        let spike = rounded(spike);
        format!(
            "up to {} requests there at a time, latency up to {spike}",
            whole(waiting.round() as u64)
        )
    }));
    parts.push(match over {
        Some(over) => format!("over after {}", rounded(*over)),
        None => "never worked off".to_owned(),
    });
    parts.join("; ")
}

/// A rate in the digits that such a prediction has.
fn rate(rate: Rate) -> String {
    format!("{}/s", three_digits(rate.0))
}

/// A time in three digits.
fn rounded(span: Span) -> Span {
    let secs = span.as_secs();
    let unit = if secs > 0.0 { 10.0_f64.powi(secs.log10().floor() as i32 - 2) } else { 1.0 };
    Span::from_secs((secs / unit).round() * unit)
}

fn provenance(scenario: &Scenario, whole: bool) -> String {
    let of = |mark: Mark| scenario.settings.iter().filter(move |setting| setting.mark == mark);
    let mut out = String::new();
    for mark in MARKS {
        let all: Vec<&Setting> = of(mark).collect();
        if all.is_empty() {
            continue;
        }
        let lead = format!("  {:>3} {:<11} ", all.len(), mark.label());
        let names = match mark {
            Mark::Given | Mark::Assumed => {
                let named = all.iter().map(|one| format!("{} = {}", one.path, one.value));
                named.collect::<Vec<_>>().join(", ")
            }
            _ => all.iter().map(|one| one.path.as_str()).collect::<Vec<_>>().join(", "),
        };
        out += &wrapped(&lead, &names);
    }
    if !whole {
        return out + &wrapped("  → ", "--settings lists each with its value and source");
    }
    out + "\n" + &settings::text(scenario)
}

fn cost(scenario: &Scenario, found: Option<&Prediction>) -> String {
    let Some(found) = found else {
        let (work, name) = greatest_load(&scenario.plan);
        let cores = three_digits(work);
        return wrapped("  ", &format!("not known before; at most {cores} cores of work: {name}"));
    };
    let each = if scenario.plan.is_open_loop() { PER_SECOND } else { PER_SECOND_FOLLOWED };
    let secs = (found.requests / each).max(0.1);
    let told = format!(
        "about {} requests, some {} on one core",
        whole(found.requests as u64),
        rounded(Span::from_secs(secs))
    );
    wrapped("  ", &told)
}

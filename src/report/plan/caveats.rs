//! What limits a capacity plan, in words.

use crate::objective::{Metric, Objective};
use crate::plan::Extent;
use crate::report::availability::judging::not_judged;
use crate::report::caveats::steady_window::SteadyWindow;
use crate::report::format::words::share_of;
use crate::report::plan::report::CapacityReport;
use crate::report::plan::words;
use crate::scenario::{Mark, Scenario};
use crate::study::mode::{self, Mode, objectives};
use crate::study::settling::Settling;

/// What limits the plan.
pub(crate) fn texts(report: &CapacityReport) -> Vec<String> {
    let base = report.base();
    let mut all: Vec<String> = (report.candidates.iter())
        .filter_map(|one| one.scenario.what_if.as_deref())
        .map(|what_if| format!("not for sale: {what_if}; it is never recommended"))
        .collect();
    if report.modes.contains(&Mode::DailyPeak) {
        all.push(format!(
            "the peak of a day is taken as {} times its trough, climbed to in 15 min: assumed → \
             --peak-ratio",
            report.effort.trial.peak_ratio
        ));
    }
    let loses_region = report.modes.contains(&Mode::RegionLoss);
    all.extend(mode::struck_region(base, Mode::RegionLoss).filter(|_| loses_region).map(|name| {
        format!(
            "the region that is lost is {name}: of all it is the one that leaves least{}",
            stays(base, name)
        )
    }));
    all.extend(left_out(report));
    let months = report.months.iter().any(Option::is_some);
    if !base.plan.faults.is_empty() {
        let but = if months { "; months are made of them" } else { "" };
        all.push(format!("the scenario's own faults are replaced by the modes'{but}"));
    }
    all.extend(not_judged(base).filter(|_| !months));
    let asks_for =
        |metric: Metric| base.objectives.iter().any(|objective| objective.metric == metric);
    let of_served = |one: &Objective| {
        one.metric == Metric::MeanLatency || matches!(one.metric, Metric::Latency(_))
    };
    if !asks_for(Metric::Availability) && base.objectives.iter().any(of_served) {
        all.push(
            "no objective bounds the availability, and a latency of the served requests is of \
             those that are served, however few → add one, such as availability >= 99%"
                .to_owned(),
        );
    }
    all.extend(report.settling.iter().filter_map(|one| unsettled(report, one)));
    all.extend(bands(report));
    all.extend(turned_away(report));
    let shakes_hands = base.plan.dependencies.tls.is_some();
    if shakes_hands || base.plan.ends_early() {
        all.push(
            "the load at which CPU is full is that of requests that go all the way, without \
             handshakes: what a policy answers early takes less"
                .to_owned(),
        );
    }
    if !report.demand_is_own {
        all.push(format!("the demand is {} by --demand", words::demand(report.demand)));
    }
    let assumed: Vec<&str> = (base.settings.iter())
        .filter(|setting| setting.mark == Mark::Assumed && !setting.path.starts_with("run."))
        .map(|setting| setting.path.as_str())
        .collect();
    if !assumed.is_empty() {
        all.push(format!(
            "assumed by default, because nothing is published: {} → write down your own; \
             brownout check --settings says more",
            assumed.join(", ")
        ));
    }
    all
}

/// That the control plane is not lost along with a region.
fn stays(base: &Scenario, lost: &str) -> String {
    let regions = base.plan.regions.as_ref();
    let home = regions.and_then(|all| Some(&all.all[all.control_plane.as_ref()?.0].name));
    home.filter(|home| *home != lost)
        .map(|home| format!("; the control plane, at home in {home}, stays"))
        .unwrap_or_default()
}

/// Whether a gateway was still settling after warm-up.
fn unsettled(report: &CapacityReport, settling: &Settling) -> Option<String> {
    let steady = SteadyWindow::of(&settling.scenario.plan, &settling.run)?;
    let name = &report.candidates[settling.candidate].name;
    let load = words::load(settling.load);
    let message = steady.warm_up_short()?.message();
    Some(format!("{name} at {load}/s: {message} → --set run.warm-up=SPAN"))
}

/// That some loads miss below loads that meet.
fn bands(report: &CapacityReport) -> Option<String> {
    report.findings.iter().any(|finding| !finding.bands.is_empty()).then(|| {
        "where loads miss below loads that meet, the capacity is the largest load below which all \
         were met: traffic that grows to more, or falls from it, passes through; what lies between \
         the loads that were tried (probes.csv) is not known → brownout sweep"
            .to_owned()
    })
}

/// Of the loads that met the objectives, the one at which most was turned away to protect the
/// gateway or its upstreams.
fn turned_away(report: &CapacityReport) -> Option<String> {
    let met = report.findings.iter().flat_map(|finding| {
        let met = finding.probes.iter().filter(|probe| probe.excess.most < 0.0);
        met.filter_map(move |probe| Some((finding, probe, probe.unserved.first()?.turned_away)))
    });
    let (finding, probe, share) = met.max_by(|one, other| one.2.total_cmp(&other.2))?;
    let name = &report.candidates[finding.candidate].name;
    let (share, load) = (share_of(share), words::load(probe.load));
    (probe.unserved[0].turned_away > 0.0).then(|| {
        format!(
            "admission control and load shedding turned requests away with 503 at loads that met \
             the objectives, up to {share} of them ({name} at {load}/s, {}): a capacity is that of \
             what is offered, not of what is served → bound the availability more tightly",
            finding.mode.label()
        )
    })
}

/// The objectives that are judged in some mode, as written.
pub(crate) fn judged(report: &CapacityReport) -> Vec<String> {
    let of = |mode: &Mode| objectives::of(report.base(), *mode);
    let all: Vec<_> = report.modes.iter().flat_map(of).collect();
    let is_judged = |text: &str| all.iter().any(|one| one.text == text);
    let texts = report.base().objectives.iter().map(|one| one.text.clone());
    texts.filter(|text| is_judged(text)).collect()
}

/// The objectives that are not judged, or not in all modes, and why.
fn left_out(report: &CapacityReport) -> Vec<String> {
    let base = report.base();
    let judged = judged(report);
    let out: Vec<&Objective> =
        base.objectives.iter().filter(|one| !judged.contains(&one.text)).collect();
    let is_part = |one: &Objective| base.plan.windows[one.window].extent != Extent::Run;
    let texts = |wanted: &dyn Fn(&Objective) -> bool| {
        let texts = out.iter().filter(|one| wanted(one)).map(|one| one.text.as_str());
        texts.collect::<Vec<_>>().join(", ")
    };
    let is_recovery = |one: &Objective| one.metric.restored().is_some();
    let is_cpu = |one: &Objective| one.metric == Metric::Cpu;
    let parts = [
        ("as they speak of a part of the run", texts(&is_part)),
        ("as nothing is lost that it would be of", texts(&|one| !is_part(one) && is_recovery(one))),
        (
            "as a plan does not judge how runs come back",
            texts(&|one| !is_part(one) && one.metric.is_of_replications()),
        ),
        (
            "as a plan looks for the load at which requests suffer",
            texts(&|one| !is_part(one) && is_cpu(one)),
        ),
        (
            "as it follows from the scenario, whatever the load",
            texts(&|one| !is_part(one) && one.metric.is_given()),
        ),
    ];
    let mut all: Vec<String> = (parts.into_iter())
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(why, texts)| format!("left out, {why}: {texts}"))
        .collect();
    all.extend(judged_somewhere(report, &judged));
    all.extend(of_the_lost(report));
    all
}

/// The objectives that are for a region that is lost, where it is.
fn of_the_lost(report: &CapacityReport) -> Option<String> {
    let base = report.base();
    let lost = mode::struck_region(base, Mode::RegionLoss)?;
    let is_of_lost = |one: &&Objective| {
        let window = &base.plan.windows[one.window];
        let api = window.api.map(|api| base.plan.names_told_apart()[api]);
        window.extent == Extent::Run && api == Some(lost)
    };
    let texts: Vec<&str> =
        base.objectives.iter().filter(is_of_lost).map(|one| one.text.as_str()).collect();
    (report.modes.contains(&Mode::RegionLoss) && !texts.is_empty()).then(|| {
        format!(
            "not judged where a region is lost, as nothing is left of {lost} that it could be \
             judged by: {}",
            texts.join(", ")
        )
    })
}

/// The recovery times that are judged in some modes alone, with those.
fn judged_somewhere(report: &CapacityReport, judged: &[String]) -> Vec<String> {
    let recoveries = report
        .base()
        .objectives
        .iter()
        .filter(|one| one.metric.restored().is_some() && judged.contains(&one.text));
    let of = |one: &Objective| {
        let (there, elsewhere): (Vec<Mode>, Vec<Mode>) =
            report.modes.iter().partition(|mode| objectives::restores(**mode, one.metric));
        let lost = there.into_iter().map(|mode| mode.label().trim_end_matches(" is lost"));
        let lost = lost.collect::<Vec<_>>().join(" or ");
        (!elsewhere.is_empty()).then(|| format!("{} is judged only where {lost} is lost", one.text))
    };
    recoveries.filter_map(of).collect()
}

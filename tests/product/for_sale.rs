//! What nobody sells is named as such by every command, and recommended by none.

use std::fs;

use crate::desk::{Desk, err, out};

/// What each command says of three Large replicas at all times.
const SAID: &str = "Large is sold as 2 replicas that scale to 3, this has 3 replicas at all times";

/// What a command says, and the report that it leaves in a folder, in one line each.
fn said(desk: &Desk, args: &[&str], folder: &str) -> (String, String) {
    let output = desk.run(args);
    let in_a_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let report = fs::read_to_string(desk.path("results").join(folder).join("report.txt"));
    let report = report.unwrap_or_else(|_| panic!("{}", err(&output)));
    (in_a_line(err(&output) + &out(&output)), in_a_line(report))
}

#[test]
fn every_command_names_a_what_if() {
    let desk = Desk::with("\"p99 < 250ms\"");
    let fixed = ["--set", "gateway.replicas=3"];
    let commands: [(&[&str], &str); 4] = [
        (&["run", "small.toml"], "small"),
        (&["compare", "small.toml", "--tier", "large", "--tier", "xlarge"], "compare-small"),
        (&["sweep", "small.toml", "--set", "traffic.rate=50/s,60/s"], "sweep-small"),
        (
            &["plan", "small.toml", "--tier", "large", "--mode", "healthy", "--judged", "10s"],
            "plan-small",
        ),
    ];
    for (command, folder) in commands {
        let (_, report) = said(&desk, &[command, &fixed].concat(), folder);
        assert!(report.contains(SAID), "{command:?}: {report}");
        let sold = format!("sold/{folder}");
        let (_, report) = said(&desk, &[command, &["--output", "results/sold"]].concat(), &sold);
        assert!(!report.contains("for sale"), "{command:?}: {report}");
    }
    let checked = desk.run(&[&["check", "small.toml"], &fixed[..]].concat());
    assert!(err(&checked).contains(SAID) || out(&checked).contains(SAID));
}

#[test]
fn a_plan_recommends_nothing_that_is_not_for_sale() {
    let desk = Desk::with("\"p99 < 250ms\"");
    let plan = ["plan", "small.toml", "--mode", "healthy", "--judged", "10s", "--tier", "large"];
    let fixed = [&plan[..], &["--set", "gateway.replicas=3"]].concat();
    let (said_of, report) = said(&desk, &fixed, "plan-small");
    assert!(report.contains("NONE of the gateways that are for sale carries 50/s"), "{said_of}");
    assert!(report.contains("✓ Large (not for sale)"), "{report}");
    assert_eq!(desk.code(&[&fixed[..], &["--force"]].concat()), 1);
    assert_eq!(desk.code(&[&plan[..], &["--force"]].concat()), 0);
}

//! The extended log format of the W3C, which names its fields: IIS and CloudFront. Both write their
//! times, to the second and in UTC, when a request has ended.
//!
//! IIS: <https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging>; CloudFront:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide>, "Standard logs".

use crate::diagnostic::Flaw;
use crate::scenario::recording::line::{LineContext, LineFault, Logged, Said, no_time};
use crate::scenario::recording::moment;

const DIRECTIVES: [&str; 7] =
    ["#Version:", "#Software:", "#Date:", "#Remark:", "#Start-Date:", "#End-Date:", "#Fields:"];
const USED: [&str; 3] = ["date", "time", "time-taken"];

/// A line of such a log, or a directive.
pub(crate) fn w3c(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    if let Some(names) = line.strip_prefix("#Fields:") {
        context.columns = names.split_ascii_whitespace().map(str::to_owned).collect();
        let place = |name: &str| context.columns.iter().position(|column| column == name);
        context.places = USED.iter().map(|name| place(name)).collect();
        return Ok(Said::Nothing);
    }
    if DIRECTIVES.iter().any(|directive| line.starts_with(directive)) {
        return Ok(Said::Nothing);
    }
    let &[date, time, taken] = &context.places[..] else {
        let help = "such a log says what its fields are in a line that begins with #Fields:";
        return Err(Flaw::new("no #Fields came before this line").help(help).into());
    };
    let tabs = line.contains('\t');
    let all: Vec<&str> = match tabs {
        true => line.split('\t').collect(),
        false => line.split_ascii_whitespace().collect(),
    };
    if all.len() != context.columns.len() {
        let title = format!("{} fields stand here, not {}", all.len(), context.columns.len());
        return Err(Flaw::new(title).help("#Fields names them; the line may be cut off").into());
    }
    let field = |place: Option<usize>| place.map_or("", |place| all[place]);
    let written = format!("{}T{}Z", field(date), field(time));
    let help = "the fields date and time are those of IIS: 2026-03-02 and 09:30:00";
    let at = moment::with_offset(&written).ok_or_else(|| no_time(&written, help))?;
    let taken: Option<f64> = field(taken).parse().ok();
    // IIS counts milliseconds, CloudFront seconds.
    let seconds = taken.map(|taken| if tabs { taken } else { taken / 1e3 });
    let logged = Logged::answered(at, seconds).to_the_second(!written.contains('.'));
    Ok(Said::Request(logged))
}

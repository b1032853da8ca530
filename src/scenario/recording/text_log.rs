//! Lines of text: Envoy, AWS's application load balancer, HAProxy, and the access logs of Apache,
//! nginx and what writes like them.

use crate::diagnostic::{Flaw, clip};
use crate::scenario::recording::line::{LineContext, LineFault, Logged, Said, fields, no_time};
use crate::scenario::recording::moment;

const OFFSET: &str = "write RFC 3339, such as 2026-03-02T09:30:00.000Z";

/// Envoy's default: `[start] "GET / HTTP/1.1" code flags …`, by the start, after whatever a line is
/// prefixed with; a code of 0 means that the client left.
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage>
pub(crate) fn envoy(_: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let wrong = || Flaw::new("this is no line of Envoy's default log");
    let brackets = line.match_indices('[').map(|(at, _)| &line[at + 1..]);
    let mut dated = brackets.filter(|rest| rest.as_bytes().get(10) == Some(&b'T'));
    let (time, rest) = dated.find_map(|rest| rest.split_once("] \"")).ok_or_else(wrong)?;
    let code = after_quote(rest).and_then(|rest| rest.split_ascii_whitespace().next());
    let is_code = |code: &str| code.len() <= 3 && is_number(code);
    if !code.is_some_and(is_code) {
        return Err(wrong().help("the response code follows the request").into());
    }
    let at = moment::with_offset(time).ok_or_else(|| no_time(time, OFFSET))?;
    Ok(Said::Request(Logged::sent(at)))
}

/// The load balancers that write this, as the first field of a line has them.
const ALB_KINDS: [&str; 6] = ["http", "https", "h2", "grpcs", "ws", "wss"];
/// Where `request_creation_time` stands.
const ALB_CREATED: usize = 21;

/// AWS's application load balancer: its time is that of the answer, so `request_creation_time` is
/// taken.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application>, "Access logs".
pub(crate) fn alb(_: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let wrong = || Flaw::new("this is no line of an AWS application load balancer");
    let kind = line.split(' ').next().unwrap_or("");
    if !ALB_KINDS.contains(&kind) {
        return Err(wrong().into());
    }
    let all = fields(line, ' ');
    let help = "the 22nd field is request_creation_time; the line may be cut off";
    let created = all.get(ALB_CREATED).ok_or_else(|| wrong().help(help))?;
    let at = moment::with_offset(created).ok_or_else(|| no_time(created, help))?;
    Ok(Said::Request(Logged::sent(at)))
}

/// HAProxy's `option httplog`: the time in brackets is that of the request's first byte, without
/// offset. <https://docs.haproxy.org/3.0/configuration.html#8.2.3>
pub(crate) fn haproxy(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let wrong = || Flaw::new("this is no line of HAProxy's HTTP log");
    let brackets = line.match_indices('[').filter_map(|(at, _)| line[at + 1..].split_once(']'));
    let mut timed = brackets.filter_map(|(time, rest)| Some((moment::calendar(time)?, rest)));
    let (at, rest) = timed.next().ok_or_else(wrong)?;
    let mut words = rest.split_ascii_whitespace().skip(2);
    let timers = words.next().unwrap_or("").split('/');
    let timer = |timer: &str| is_number(timer.trim_start_matches(['-', '+']));
    let timers = timers.map(timer).collect::<Vec<_>>();
    if timers == [true; 3] {
        let help = "write the log with `option httplog`";
        return Err(Flaw::new("this is a line of HAProxy's TCP log").help(help).into());
    }
    let status = words.next().unwrap_or("");
    if timers != [true; 5] || !is_number(status.trim_start_matches('-')) {
        return Err(wrong().into());
    }
    context.recognised.zoneless = true;
    Ok(Said::Request(Logged::sent(at)))
}

/// The common log format and what begins like it, after whatever a line is prefixed with. Its time
/// is known to the second, and is that of the end where nginx adds `$request_time`.
pub(crate) fn access_log(_: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let Some((time, rest)) = bracketed(line) else {
        let flaw = Flaw::new("this is no line of an access log");
        let example = "host - user [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326";
        return Err(flaw.help(format!("the common log format is {example}")).into());
    };
    let Some(at) = moment::of_access_log(time) else {
        let flaw = Flaw::new(format!("{:?} is no time of an access log", clip(time)));
        let help = "write day/month/year:time and the offset, as in 10/Oct/2000:13:55:36 -0700";
        return Err(flaw.help(help).into());
    };
    Ok(Said::Request(Logged::answered(at, request_time(rest)).to_the_second(true)))
}

/// What stands in the brackets of a sound line, and what follows the size: three fields, the time,
/// the request (after a host, if there is one), status, size.
fn bracketed(line: &str) -> Option<(&str, &str)> {
    let (caller, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] ")?;
    let (host, request) = rest.split_once('"')?;
    let mut fields = after_quote(request)?.trim_start().splitn(3, ' ');
    let status = fields.next().is_some_and(|status| status.len() == 3 && is_number(status));
    let size = fields.next().is_some_and(|size| size == "-" || is_number(size));
    let hosts = host.split_ascii_whitespace().count();
    let sound = caller.split_ascii_whitespace().count() >= 3 && hosts < 2 && status && size;
    sound.then(|| (time, fields.next().unwrap_or("")))
}

/// The seconds that nginx's `$request_time` tells: with three decimals, alone or after `rt=`, the
/// first such number outside quotes. Traefik's and Apache's durations look otherwise, and their
/// times are those of the start.
fn request_time(mut rest: &str) -> Option<f64> {
    loop {
        rest = rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = after_quote(quoted)?;
            continue;
        }
        let (word, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = ["request_time=", "rt="].iter().find_map(|name| word.strip_prefix(name));
        let number = number.unwrap_or(word);
        let parts = number.split_once('.');
        if parts.is_some_and(|(whole, part)| is_number(whole) && part.len() == 3 && is_number(part))
        {
            return number.parse().ok();
        }
        if more.is_empty() {
            return None;
        }
        rest = more;
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows the quote that ends a text; a backslash takes the next character along.
fn after_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| &text[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::recording::line::Nameable;

    type LineParser = fn(&mut LineContext<'_>, &str) -> Result<Said, LineFault>;

    /// When a request was sent, or what is wrong.
    fn start(parser: LineParser, line: &str) -> Result<String, String> {
        let mut context = LineContext::new(Nameable { replicas: 1, apis: &[] });
        match parser(&mut context, line) {
            Ok(Said::Request(logged)) => Ok(moment::shown(logged.start(None).0)),
            Ok(Said::Nothing) => Ok("nothing".to_owned()),
            Err(LineFault::Unreadable(flaw) | LineFault::Unfit(flaw) | LineFault::Header(flaw)) => {
                Err(flaw.title)
            }
        }
    }

    fn refused(parser: LineParser, lines: &[&str], said: &str) {
        for line in lines {
            assert!(start(parser, line).is_err_and(|title| title.contains(said)), "{line}");
        }
    }

    #[test]
    fn envoys_request_may_be_unknown_and_its_client_gone() {
        let at = Ok("2026-05-04T11:20:00.25Z".to_owned());
        let line = "[2026-05-04T11:20:00.250Z] \"GET /?a=\\\"b\\\" HTTP/2\" 0 DC 0 0 9 - \"-\"";
        assert_eq!(start(envoy, line), at);
        assert_eq!(start(envoy, "[2026-05-04T11:20:00.250Z] \"- - -\" 0 - 0 0 9 - \"-\""), at);
        assert_eq!(start(envoy, &format!("[gateway][info] {line}")), at);
        let cut = ["[2026-05-04T11:20:00.250Z] \"GET / HT", "[2026-05-04", "", "[a] \"b\" 200x"];
        refused(envoy, &cut, "no line of Envoy's");
        refused(envoy, &["[2026-05-04T25:20:00Z] \"GET /\" 200 -"], "is no time");
    }

    #[test]
    fn haproxys_time_is_found_behind_what_syslog_writes() {
        let line = "May  4 11:20:01 lb haproxy[9]: [::1]:4 [04/May/2026:11:20:00.250] fe be/s \
                    0/0/-1/-1/+17 503 0 - - sC-- 1/1/0/0/3 0/0 \"GET / HTTP/1.1\"";
        assert_eq!(start(haproxy, line), Ok("2026-05-04T11:20:00.25Z".to_owned()));
        let tcp = "lb: 1:2 [04/May/2026:11:20:00.250] fe be/s 0/0/17 212 -- 1/1/1/1/0 0/0";
        refused(haproxy, &[tcp], "TCP log");
        refused(haproxy, &[&line[..70], "", "[x] y", "lb haproxy[9]: Server s is DOWN"], "no line");
    }

    #[test]
    fn the_answer_of_a_balancer_is_no_start() {
        refused(alb, &["http 2026-05-04T11:20:00.1Z app/own 1:2 3:4 0.1 0.2 0.3 200"], "no line");
        refused(alb, &["tls 2.0 2026-05-04T11:20:00", ""], "no line");
    }

    #[test]
    fn an_access_log_may_have_its_own_fields_around_what_is_common() {
        let common = "::1 - bob [04/May/2026:13:20:05 +0200] \"-\" 408 -";
        let at = |text: &str| Ok(format!("2026-05-04T{text}Z"));
        assert_eq!(start(access_log, common), at("11:20:05"));
        for (more, time) in [
            (" \"-\" \"curl \\\" [x] 8\"", "11:20:05"),
            (" \"-\" \"a 0.500 b\" 12 \"r@file\" \"http://x\" 9500ms", "11:20:05"),
            (" \"-\" \"agent\" 9500000", "11:20:05"),
            (" \"-\" \"agent\" 9.500", "11:19:56"),
            (" \"-\" \"agent\" \"10.0.0.1\" rt=9.500 uct=\"0.000\"", "11:19:56"),
            (" 9.500 \"-\" \"agent\"", "11:19:56"),
            (" \"-\" \"agent\" urt=0.100 request_time=9.500", "11:19:56"),
        ] {
            assert_eq!(start(access_log, &format!("{common}{more}")), at(time), "{more}");
        }
        let behind = format!("May  4 11:20:05 host nginx: {common}");
        assert_eq!(start(access_log, &behind), at("11:20:05"));
        let bad = [
            common.replace("408", "4x8"),
            common.replace("::1 - bob", "::1"),
            common.replace("\"-\"", "\"-"),
            String::new(),
        ];
        bad.iter().for_each(|line| refused(access_log, &[line], "no line of an access log"));
        refused(access_log, &[&common.replace("04/May", "31/Nov")], "is no time");
        refused(access_log, &[&common.replace(" +0200", "")], "is no time");
    }
}

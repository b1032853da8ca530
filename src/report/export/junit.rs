//! `junit.xml`: verdicts in the XML of JUnit, as Apache Ant wrote it first and Jenkins, GitLab and
//! others read it (the stricter of their schemas, which knows no attributes of `testsuites`).
//!
//! What is met passes, what is missed is a failure, and what is undecided is an error: nobody knows
//! whether it holds, so it must not turn a build green as a skipped test would. Skipped is what the
//! command does not look at. Nothing has taken time, since nobody asks a clock.

use std::io::{Error, Result, Write};

use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::Writer;

use super::cases::{Case, CaseResult, Suite};
use super::kind::Epoch;

/// The package that all suites are of.
const PACKAGE: &str = "brownout";

/// Writes suites.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(suites: &[Suite], epoch: Epoch, out: &mut dyn Write) -> Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites").write_inner_content(|xml| {
        let mut numbered = suites.iter().enumerate();
        numbered.try_for_each(|(id, suite)| write_suite(suite, id, epoch, xml))
    })?;
    xml.into_inner().write_all(b"\n")
}

fn write_suite(
    suite: &Suite,
    id: usize,
    epoch: Epoch,
    xml: &mut Writer<&mut dyn Write>,
) -> Result<()> {
    let number = |result: CaseResult| {
        suite.cases.iter().filter(|case| case.result == result).count().to_string()
    };
    let name = named(&suite.name);
    // To the second, and of no zone.
    let at = epoch.to_string();
    let at = at.split(['.', 'Z']).next().unwrap_or_default().to_owned();
    let attributes = [
        ("name", name.clone()),
        ("package", PACKAGE.to_owned()),
        ("id", id.to_string()),
        ("timestamp", at),
        ("hostname", "localhost".to_owned()),
        ("tests", suite.cases.len().to_string()),
        ("failures", number(CaseResult::Missed)),
        ("errors", number(CaseResult::Undecided)),
        ("skipped", number(CaseResult::Skipped)),
        ("time", "0".to_owned()),
    ];
    let attributes = attributes.iter().map(|(key, value)| (*key, value.as_str()));
    let element = xml.create_element("testsuite").with_attributes(attributes);
    element.write_inner_content(|xml| {
        xml.create_element("properties").write_empty()?;
        suite.cases.iter().try_for_each(|case| write_case(case, &name, xml))?;
        let said = clean(&suite.said);
        xml.create_element("system-out").write_text_content(BytesText::new(&said))?;
        xml.create_element("system-err").write_empty()?;
        Ok::<(), Error>(())
    })?;
    Ok(())
}

fn write_case(case: &Case, suite: &str, xml: &mut Writer<&mut dyn Write>) -> Result<()> {
    let (name, class) = (named(&case.name), format!("{PACKAGE}.{suite}"));
    let attributes = [("name", name.as_str()), ("classname", &class), ("time", "0")];
    let element = xml.create_element("testcase").with_attributes(attributes);
    let (inner, kind) = match case.result {
        CaseResult::Met => return element.write_empty().map(|_| ()),
        CaseResult::Missed => ("failure", "missed"),
        CaseResult::Undecided => ("error", "undecided"),
        CaseResult::Skipped => ("skipped", "not judged"),
    };
    let message = clean(&case.found);
    let text = format!("{name}: {message}");
    element.write_inner_content(|xml| {
        let attributes = [("message", message.as_str()), ("type", kind)];
        let inner = xml.create_element(inner).with_attributes(attributes);
        inner.write_text_content(BytesText::new(&text)).map(|_| ())
    })?;
    Ok(())
}

/// A name, of which there must be one.
fn named(text: &str) -> String {
    let words = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { "unnamed".to_owned() } else { words }
}

/// A text without the characters that XML 1.0 does not have.
fn clean(text: &str) -> String {
    let is_known = |c: char| {
        !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n')
    };
    text.chars().map(|c| if is_known(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(suites: &[Suite]) -> String {
        let mut out = Vec::new();
        write(suites, Epoch::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_verdict_has_its_element_and_is_counted() {
        let case = |name: &str, result| Case {
            name: name.to_owned(),
            result,
            found: "p99 <1> & \u{7}".to_owned(),
        };
        let cases = vec![
            case("a", CaseResult::Met),
            case("b", CaseResult::Missed),
            case("c", CaseResult::Undecided),
            case("d", CaseResult::Skipped),
        ];
        let suite = Suite { name: "x \"y\"".to_owned(), cases, said: "some <caveat>".to_owned() };
        let xml = written(&[suite]);
        let counts = r#"tests="4" failures="1" errors="1" skipped="1" time="0""#;
        assert!(xml.contains(counts), "{xml}");
        assert!(xml.contains(r#"timestamp="2025-01-01T00:00:00""#), "{xml}");
        assert!(
            xml.contains(r#"<testcase name="a" classname="brownout.x &quot;y&quot;""#),
            "{xml}"
        );
        let failure = "<failure message=\"p99 &lt;1&gt; &amp; \u{fffd}\" type=\"missed\">";
        assert!(xml.contains(failure), "{xml}");
        assert!(xml.contains("<error message=") && xml.contains("<skipped message="), "{xml}");
        assert!(xml.contains("<system-out>some &lt;caveat&gt;</system-out>"), "{xml}");
    }

    #[test]
    fn no_verdicts_are_a_file_all_the_same() {
        let suite = Suite { name: " ".to_owned(), cases: Vec::new(), said: String::new() };
        assert!(written(&[suite]).contains(r#"<testsuite name="unnamed""#));
        assert!(written(&[]).contains("<testsuites"));
    }
}

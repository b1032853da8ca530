//! The document: what every page has around what it tells.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::PageError;
use super::pieces::chart;
use crate::plot::theme::{Role, Theme, hex};
use crate::plot::{Figure, inline_style_sheet};
use crate::report::manifest::VERSION;
use crate::verdict::Overall;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing is fetched from anywhere, whatever stands on the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; font-src data:; base-uri 'none'; form-action 'none'";

/// The colours that style sheet and script share with the charts.
const COLOURS: [(&str, Role); 26] = [
    ("ground", Role::Background),
    ("ink", Role::Text),
    ("muted", Role::Muted),
    ("grid", Role::Grid),
    ("axis", Role::Axis),
    ("shade", Role::Shade),
    ("offered", Role::Offered),
    ("capacity", Role::Capacity),
    ("served", Role::Served),
    ("failed", Role::Failure),
    ("rejected", Role::TimedOut),
    ("p50", Role::Median),
    ("p99", Role::P99),
    ("cpu", Role::Cpu),
    ("monitored", Role::Monitored),
    ("ready", Role::Ready),
    ("slow", Role::Slow),
    ("joining", Role::Joining),
    ("starting", Role::Starting),
    ("broken", Role::Broken),
    ("unready", Role::Unready),
    ("back-off", Role::Sky),
    ("bad", Role::FaultText),
    ("good", Role::RecoveredText),
    ("fault", Role::FaultText),
    ("decided", Role::Muted),
];

/// A part of a page under a heading.
pub(super) struct PagePart {
    /// Where links lead to.
    id: &'static str,
    title: String,
    body: Markup,
}

impl PagePart {
    pub(super) fn new(id: &'static str, title: impl Into<String>, body: Markup) -> PagePart {
        PagePart { id, title: title.into(), body }
    }
}

/// The picture of the first screen.
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) body: Markup,
    /// Whether it is a chart, which has its title in it.
    pub(super) is_drawn: bool,
}

impl Picture {
    /// A chart.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub(super) fn drawn(figure: &Figure) -> Result<Picture, PageError> {
        let title = format!("Chart: {}", figure.title);
        let body = chart(figure, &html! {})?;
        Ok(Picture { title, body, is_drawn: true })
    }
}

/// A page.
pub(super) struct Page {
    /// The command, such as `run`.
    pub(super) command: &'static str,
    /// What it is of: the name of a scenario, mostly.
    pub(super) name: String,
    /// The question.
    pub(super) title: String,
    /// What was simulated, in a line or a few.
    pub(super) sample: Vec<String>,
    /// What it comes to.
    pub(super) overall: Overall,
    /// The same in a few words.
    pub(super) headline: String,
    /// What stands below the headline: objectives, and what happened.
    pub(super) verdict: Markup,
    /// The picture beside it.
    pub(super) picture: Option<Picture>,
    /// All else, in order; parts without a body are left out.
    pub(super) parts: Vec<PagePart>,
    /// The replication that can be explored.
    pub(super) data: Option<Value>,
}

impl Page {
    /// The document.
    ///
    /// # Errors
    /// The data are no JSON.
    pub(super) fn render(mut self) -> Result<String, PageError> {
        self.parts.retain(|part| !part.body.0.is_empty());
        let data = self.data.as_ref().map(embedded).transpose()?;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#main" { "Skip to the verdict" }
                    (self.top())
                    main #main tabindex="-1" {
                        (self.first())
                        (self.contents())
                        @for part in &self.parts {
                            section.part #(part.id) aria-labelledby={ "h-" (part.id) } {
                                h2 #{ "h-" (part.id) } { (part.title) }
                                (part.body)
                            }
                        }
                    }
                    footer {
                        p { "Written by brownout " (VERSION) ". This page is complete: it asks \
                             nothing of any network." }
                    }
                    @if let Some(data) = &data {
                        script #told-data type="application/json" { (PreEscaped(data)) }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        Ok(page.into_string() + "\n")
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (self.headline) " – " (self.name) " – brownout " (self.command) }
                style { (PreEscaped(inline_style_sheet() + &colours() + STYLE)) }
            }
        }
    }

    fn top(&self) -> Markup {
        html! {
            header {
                p.kicker { "brownout " (self.command) " · " (self.name) }
                h1 { (self.title) }
                @for line in &self.sample {
                    p.sample { (line) }
                }
            }
        }
    }

    /// The verdict, and the picture beside it.
    fn first(&self) -> Markup {
        let (tone, glyph) = match self.overall {
            Overall::Met => ("met", "✓"),
            Overall::Missed => ("missed", "✗"),
            Overall::Undecided => ("undecided", "?"),
            Overall::NoObjectives => ("open", "–"),
        };
        html! {
            div .first .alone[self.picture.is_none()] {
                section.verdict.(tone) #verdict aria-labelledby="h-verdict" {
                    h2 #h-verdict {
                        span.glyph aria-hidden="true" { (glyph) }
                        (self.headline)
                    }
                    (self.verdict)
                }
                @if let Some(picture) = &self.picture {
                    section.picture #picture aria-labelledby="h-picture" {
                        h2 class=[picture.is_drawn.then_some("titled")] #h-picture {
                            (picture.title)
                        }
                        (picture.body)
                    }
                }
            }
        }
    }

    fn contents(&self) -> Markup {
        html! {
            nav.contents aria-label="On this page" {
                ul {
                    @for part in &self.parts {
                        li { a href={ "#" (part.id) } { (part.title) } }
                    }
                }
            }
        }
    }
}

/// JSON that can stand within an element of a script, whatever its texts say.
fn embedded(data: &Value) -> Result<String, PageError> {
    Ok(serde_json::to_string(data)?.replace('<', "\\u003c"))
}

/// The colours as properties of a style sheet.
fn colours() -> String {
    let all = |theme: Theme| -> String {
        let one = |(name, role): &(&str, Role)| format!("--{name}:{};", hex(role.colour(theme)));
        COLOURS.iter().map(one).collect()
    };
    format!(
        ":root{{{}}}@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}",
        all(Theme::Light),
        all(Theme::Dark)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(text: &str) -> String {
        let page = Page {
            command: "run",
            name: text.to_owned(),
            title: text.to_owned(),
            sample: vec![text.to_owned()],
            overall: Overall::Met,
            headline: text.to_owned(),
            verdict: html! { p { (text) } },
            picture: Some(Picture {
                title: text.to_owned(),
                body: html! { p { (text) } },
                is_drawn: true,
            }),
            parts: vec![
                PagePart::new("one", text, html! { p title=(text) { (text) } }),
                PagePart::new("none", "nothing to say", html! {}),
            ],
            data: Some(json!({ "text": text })),
        };
        page.render().unwrap()
    }

    #[test]
    fn no_text_gets_out_of_its_place() {
        let hostile = "</script><script>alert(1)</script>\"><img src=x onerror=alert(1)>'&<!--";
        let (plain, hostile) = (page("plain"), page(hostile));
        let tags = |text: &str| text.matches('<').count();
        assert_eq!(tags(&plain), tags(&hostile));
        assert!(!hostile.contains("<img") && !hostile.contains("<!--"));
        assert_eq!(hostile.matches("</script>").count(), 2);
    }

    #[test]
    fn parts_that_say_nothing_are_left_out() {
        let page = page("plain");
        assert!(page.contains("href=\"#one\"") && !page.contains("nothing to say"));
    }

    #[test]
    fn the_page_asks_nothing_of_a_network() {
        // The name of SVG is an address that nobody asks.
        let page = page("plain").replace("'http://www.w3.org/2000/svg'", "");
        for word in ["http://", "https://", "src=", "@import", "url(h"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}

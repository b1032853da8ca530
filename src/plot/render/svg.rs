//! Figures as SVG text.

use plotters::prelude::*;

use super::surface::{PlotError, Surface};
use crate::plot::canvas::fonts::{self, FAMILY};
use crate::plot::canvas::theme::{Theme, dark_rules, hex};
use crate::plot::canvas::{Anchor, Figure, Primitive, Role, Text};

/// The library rounds to whole units, so each logical pixel gets this many of them.
const SCALE: f64 = 8.0;
/// Width of the rim around text.
const RIM: f64 = 3.0 * SCALE;

/// The figure as an SVG document, which carries its typeface and adapts to a dark page.
///
/// # Errors
/// If the back end refuses a mark.
pub fn svg(figure: &Figure) -> Result<String, PlotError> {
    Ok(head(figure) + &body(figure)? + "</svg>\n")
}

/// The figure as a part of a page that has [`inline_style_sheet`]: without a style sheet and a
/// title of its own, which browsers would show wherever the pointer rests.
///
/// # Errors
/// If the back end refuses a mark.
pub fn inline_svg(figure: &Figure) -> Result<String, PlotError> {
    let label = quoted(&format!("{}. {}", figure.title.trim_end_matches('.'), figure.alt));
    let root = root(figure);
    Ok(format!("<svg {root} aria-label=\"{label}\">\n{}</svg>\n", shorter(&body(figure)?)))
}

/// The same marks in about half the bytes: paths whose points are told from the one before.
fn shorter(marks: &str) -> String {
    let line = |line: &str| {
        let open = line.strip_prefix("<polyline").map(|rest| (rest, ""));
        let found = open.or_else(|| Some((line.strip_prefix("<polygon")?, "z")));
        let path = found.and_then(|(rest, end)| {
            let (before, rest) = rest.split_once(" points=\"")?;
            let (points, after) = rest.split_once('"')?;
            Some(format!("<path{before} d=\"{}{end}\"{after}", relative(points)?))
        });
        path.unwrap_or_else(|| line.to_owned()) + "\n"
    };
    marks.lines().map(line).collect()
}

/// Points as a path.
fn relative(points: &str) -> Option<String> {
    let mut path = String::new();
    let mut last = None;
    for point in points.split(' ') {
        let (x, y) = point.split_once(',')?;
        let (x, y): (i32, i32) = (x.parse().ok()?, y.parse().ok()?);
        let (sign, x_by, y_by) = match last {
            None => ("M", x, y),
            Some((0, x_last, y_last)) => ("l", x - x_last, y - y_last),
            Some((_, x_last, y_last)) => {
                (if x < x_last { "" } else { " " }, x - x_last, y - y_last)
            }
        };
        let gap = if y_by < 0 { "" } else { " " };
        path += &format!("{sign}{x_by}{gap}{y_by}");
        last = Some((last.map_or(0, |_| 1), x, y));
    }
    Some(path)
}

/// Every mark of a figure.
fn body(figure: &Figure) -> Result<String, PlotError> {
    let mut drawn = String::new();
    let visible: Vec<Primitive> = figure.visible().collect();
    for alike in visible.chunk_by(|a, b| text(a).is_none() && text(b).is_none()) {
        drawn += &match text(&alike[0]) {
            Some(text) => element(text),
            None => marks(alike, units(figure))?,
        };
    }
    Ok(drawn)
}

/// The style sheet of every SVG document: the typeface and the dark colours.
pub fn style_sheet() -> String {
    fonts::face_rules() + &dark_rules("")
}

/// The same for a page with figures in it, which is printed dark on white.
pub fn inline_style_sheet() -> String {
    fonts::face_rules() + &dark_rules("screen and ")
}

/// Width and height in the library's units.
fn units(figure: &Figure) -> (u32, u32) {
    let (width, height) = figure.size();
    ((width * SCALE) as u32, (height * SCALE) as u32)
}

fn text(primitive: &Primitive) -> Option<&Text> {
    if let Primitive::Text(text) = primitive { Some(text) } else { None }
}

/// Lines, polygons and blocks as the library writes them, without its root element and without
/// attributes that say what holds anyway.
fn marks(primitives: &[Primitive], size: (u32, u32)) -> Result<String, PlotError> {
    let mut drawn = String::new();
    {
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        let surface = Surface { area: &area, scale: SCALE, theme: Theme::Light };
        for primitive in primitives {
            if let Primitive::Line { points, role, width } = primitive {
                let points: Vec<_> = points.iter().map(|point| surface.at(*point)).collect();
                let width = (width * SCALE).round().max(1.0) as u32;
                let style = surface.colour(*role).stroke_width(width);
                surface.draw(&PathElement::new(points, style))?;
            } else {
                surface.fill(primitive)?;
            }
        }
        area.present()?;
    }
    let inside = drawn.split_once(">\n").and_then(|(_, rest)| rest.strip_suffix("</svg>\n"));
    let inside = inside.unwrap_or_default().replace(" opacity=\"1\"", "");
    Ok(inside.replace(" stroke=\"none\"", "").replace(" \"/>", "\"/>"))
}

/// A text on its baseline, if it has a halo with a rim in the background colour.
fn element(text: &Text) -> String {
    let colour = |role: Role| hex(role.colour(Theme::Light));
    let rim = match text.halo {
        true => format!(
            " paint-order=\"stroke\" stroke=\"{}\" stroke-width=\"{RIM}\"",
            colour(Role::Background)
        ),
        false => String::new(),
    };
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let [x, y, size] = [text.at.0, text.at.1, text.size].map(|length| (length * SCALE).round());
    let (fill, weight) = (colour(text.role), if text.bold { " font-weight=\"600\"" } else { "" });
    let words = quoted(&text.text);
    format!(
        "<text{rim} x=\"{x}\" y=\"{y}\"{anchor} font-size=\"{size}\" fill=\"{fill}\"{weight}>\
         {words}</text>\n"
    )
}

/// The attributes of the root element: the logical size, and what all marks share.
fn root(figure: &Figure) -> String {
    let (width, height) = figure.size();
    let (wide, high) = units(figure);
    format!(
        "width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {wide} {high}\" role=\"img\" \
         font-family=\"{FAMILY}\" stroke-linejoin=\"round\""
    )
}

/// The root element, words for those who do not see, and the style sheet.
fn head(figure: &Figure) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" {}>\n<title>{}</title>\n\
         <desc>{}</desc>\n<style>{}</style>\n",
        root(figure),
        escape(&figure.title),
        escape(&figure.alt),
        style_sheet(),
    )
}

/// The same within an attribute.
fn quoted(text: &str) -> String {
    escape(text).replace('"', "&quot;").replace('\'', "&apos;")
}

fn escape(text: &str) -> String {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::figure::tests::sample;

    /// Whether every element is closed in order and no sign stands where none may.
    fn well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        for piece in svg.split('<').skip(1) {
            let Some((tag, _)) = piece.split_once('>') else { return false };
            let name = tag.split_whitespace().next().unwrap_or("");
            match name.strip_prefix('/') {
                Some(name) if open.pop() != Some(name) => return false,
                Some(_) => {}
                None if tag.ends_with('/') => {}
                None => open.push(name),
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_document_is_well_formed_and_describes_itself() {
        let svg = svg(&sample()).unwrap();
        assert!(well_formed(&svg), "{svg}");
        assert!(svg.contains("role=\"img\""));
        assert!(svg.contains("<title>A title</title>"));
        assert!(svg.contains("<desc>Words &amp; &lt;signs&gt; for \"all\".</desc>"));
        assert!(svg.contains("A subtitle with &lt;tags&gt; &amp; more</text>"), "{svg}");
        assert!(!svg.contains("dy="));
    }

    #[test]
    fn a_part_of_a_page_has_the_same_marks_and_no_style_sheet() {
        let (document, part) = (svg(&sample()).unwrap(), inline_svg(&sample()).unwrap());
        assert!(well_formed(&part), "{part}");
        let marks = |svg: &str| svg.lines().filter(|line| line.contains(" fill=\"")).count();
        assert_eq!(relative("5,7 8,3 8,9 2,9").unwrap(), "M5 7l3-4 0 6-6 0");
        assert!(part.contains(" d=\"M80 560l320 160 320-200\""), "{part}");
        assert!(marks(&part) > 3 && marks(&part) == marks(&document), "{part}");
        assert!(
            part.contains("aria-label=\"A title. Words &amp; &lt;signs&gt; for &quot;all&quot;")
        );
        assert!(["<style", "<title", "id=", "xmlns"].iter().all(|it| !part.contains(it)), "{part}");
        assert!(inline_style_sheet().contains("@media screen and (prefers-color-scheme:dark){"));
    }

    #[test]
    fn shapes_without_a_place_are_left_out() {
        let mut figure = sample();
        let before = svg(&figure).unwrap();
        figure.line(vec![(f64::NAN, 1.0), (2.0, 2.0)], Role::Text, 1.0);
        figure.block((5.0, 5.0), (5.0, 9.0), Role::Text, 1.0);
        assert_eq!(svg(&figure).unwrap(), before);
    }

    #[test]
    fn a_document_is_its_marks_and_one_style_sheet() {
        let document = svg(&sample()).unwrap();
        assert_eq!(document, svg(&sample()).unwrap(), "the same bytes each time");
        assert_eq!(document.matches("<style>").count(), 1);
        assert!(document.len() < style_sheet().len() + 5_000);
    }
}

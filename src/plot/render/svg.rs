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
    let mut document = head(figure);
    let visible: Vec<Primitive> = figure.visible().collect();
    for alike in visible.chunk_by(|a, b| text(a).is_none() && text(b).is_none()) {
        document += &match text(&alike[0]) {
            Some(text) => element(text),
            None => marks(alike, units(figure))?,
        };
    }
    Ok(document + "</svg>\n")
}

/// The style sheet of every SVG document: the typeface and the dark colours.
pub fn style_sheet() -> String {
    fonts::face_rules() + &dark_rules()
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
    let words = escape(&text.text).replace('"', "&quot;").replace('\'', "&apos;");
    format!(
        "<text{rim} x=\"{x}\" y=\"{y}\"{anchor} font-size=\"{size}\" fill=\"{fill}\"{weight}>\
         {words}</text>\n"
    )
}

/// The root element with the logical size, words for those who do not see, and the style sheet.
fn head(figure: &Figure) -> String {
    let (width, height) = figure.size();
    let (wide, high) = units(figure);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {wide} {high}\" role=\"img\" font-family=\"{FAMILY}\" \
         stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>\n\
         <style>{}</style>\n",
        escape(&figure.title),
        escape(&figure.alt),
        style_sheet(),
    )
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

//! Figures as SVG text.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::error::PlotError;
use super::figure::{Anchor, Figure, Shape, Text};
use super::fonts;
use super::stage::{Stage, drawable};
use super::theme::{Ink, Theme};

/// The library rounds to whole units, so each logical pixel gets this many of them.
const SCALE: f64 = 8.0;

/// The whole document, with `style` as its style sheet.
pub(super) fn document(figure: &Figure, style: &str) -> Result<String, PlotError> {
    let mut drawn = String::new();
    {
        let size = ((figure.width * SCALE) as u32, (figure.height * SCALE) as u32);
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        let stage = Stage { area: &area, scale: SCALE, theme: Theme::Light };
        stage.block([(0.0, 0.0), (figure.width, figure.height)], Ink::Background, 1.0)?;
        for shape in figure.shapes.iter().filter(|shape| drawable(shape)) {
            mark(&stage, shape)?;
        }
        area.present().map_err(|error| PlotError::Drawing(error.to_string()))?;
    }
    let texts =
        figure.shapes.iter().filter(|shape| drawable(shape)).filter_map(|shape| match shape {
            Shape::Text(text) => Some(text.halo),
            _ => None,
        });
    Ok(head(figure, style) + &tidy(&drawn, texts))
}

fn mark<DB: DrawingBackend>(stage: &Stage<DB>, shape: &Shape) -> Result<(), PlotError> {
    match shape {
        Shape::Line { points, ink, width } => {
            let points: Vec<_> = points.iter().map(|point| stage.at(*point)).collect();
            let style = stage.colour(*ink).stroke_width(stage.width(*width));
            stage.draw(&PathElement::new(points, style))
        }
        Shape::Fill { points, ink, opacity } => stage.fill(points, *ink, *opacity),
        Shape::Block { from, to, ink, opacity } => stage.block([*from, *to], *ink, *opacity),
        Shape::Text(text) => words(stage, text),
    }
}

fn words<DB: DrawingBackend>(stage: &Stage<DB>, text: &Text) -> Result<(), PlotError> {
    let anchor = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let weight = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    // The back end divides the size by 1.24.
    let font = (fonts::FAMILY, text.size * SCALE * 1.24, weight).into_font();
    let style = font.color(&stage.colour(text.ink)).pos(Pos::new(anchor, VPos::Top));
    let drawn = stage.area.draw_text(&text.text, &style, stage.at(text.at));
    drawn.map_err(|error| PlotError::Drawing(error.to_string()))
}

/// The root element with the logical size, and words for those who do not see.
fn head(figure: &Figure, style: &str) -> String {
    let (width, height) = (figure.width, figure.height);
    let (wide, high) = ((width * SCALE) as u32, (height * SCALE) as u32);
    let style = if style.is_empty() { String::new() } else { format!("<style>{style}</style>\n") };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {wide} {high}\" role=\"img\" font-family=\"{}\" \
         stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>\n{style}",
        fonts::FAMILY,
        escape(&figure.title),
        escape(&figure.alt),
    )
}

fn escape(text: &str) -> String {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.chars().filter(|character| !character.is_control()).collect()
}

/// Takes the root element off, and makes the texts what they should be: on their baseline, of the
/// root's family, without stray line ends, and with a rim in the background colour where `rims`,
/// one for each text in order, says so.
fn tidy(drawn: &str, mut rims: impl Iterator<Item = bool>) -> String {
    let body = drawn.split_once(">\n").map_or("", |(_, body)| body);
    let mut text = String::with_capacity(body.len());
    for line in body.lines() {
        let starts_text = line.starts_with("<text ");
        let line = if starts_text { &text_tag(line, rims.next() == Some(true)) } else { line };
        text.push_str(line);
        let within_text = starts_text || !line.starts_with('<');
        text.push_str(if within_text { "" } else { "\n" });
    }
    text.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(" \"/>", "\"/>")
}

/// The opening tag of a text.
fn text_tag(line: &str, rim: bool) -> String {
    let mut tag = line.replace(" dy=\"0.76em\"", "").replace(" text-anchor=\"start\"", "");
    tag = tag.replace(&format!(" font-family=\"{}\"", fonts::FAMILY), "");
    tag = tag.replace("font-weight=\"bold\"", "font-weight=\"600\"");
    if let Some((before, rest)) = tag.split_once("font-size=\"")
        && let Some((size, after)) = rest.split_once('"')
    {
        // The back end's division leaves a tail of digits.
        let size = size.parse().unwrap_or(SCALE * 12.0_f64).round();
        tag = format!("{before}font-size=\"{size}\"{after}");
    }
    let rim = match rim {
        true => {
            format!(" paint-order=\"stroke\" stroke=\"#FFFFFF\" stroke-width=\"{}\"", 3.0 * SCALE)
        }
        false => String::new(),
    };
    tag.replacen("<text", &format!("<text{rim}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::tests::sample;

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
        let svg = document(&sample(), "").unwrap();
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
        let before = document(&figure, "").unwrap();
        figure.line(vec![(f64::NAN, 1.0), (2.0, 2.0)], Ink::Text, 1.0);
        figure.block((5.0, 5.0), (5.0, 9.0), Ink::Text, 1.0);
        assert_eq!(document(&figure, "").unwrap(), before);
    }
}

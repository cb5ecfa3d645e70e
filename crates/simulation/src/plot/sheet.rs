//! Title, legend, panels and caption of a figure, and the files it becomes.

use super::Figure;
use super::panel::{self, Frame, colour};
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{
    BitMapBackend, Circle, Color as _, DrawingArea, DrawingBackend, FontStyle, IntoDrawingArea as _,
    PathElement, Polygon, SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont as _, RGBColor, TextStyle, register_font};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use thiserror::Error;

/// Width of every figure, in pixels; a PNG file has twice that.
const WIDTH: u32 = 1000;
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(30, 30, 30);
const SOFT: RGBColor = RGBColor(90, 90, 90);
const MARGIN: i32 = 14;
const TITLE: i32 = 36;
const LEGEND_ROW: i32 = 22;
const CAPTION_ROW: i32 = 17;
/// How many characters of caption or legend fit a line, at their sizes.
const CAPTION_COLUMNS: usize = 185;

/// Why a figure was not written.
#[derive(Debug, Error)]
#[error("cannot draw {path}: {reason}; check that the directory exists and has room")]
pub struct PlotError {
    path: PathBuf,
    reason: String,
}

pub(super) type Drawing<D> = Result<(), DrawingAreaErrorKind<<D as DrawingBackend>::ErrorType>>;

/// A drawing surface on which a pixel may be several.
pub(super) struct Canvas<'a, D: DrawingBackend> {
    area: &'a DrawingArea<D, Shift>,
    zoom: i32,
}

/// Writes `name.svg` and `name.png` into `directory` and says where.
///
/// # Errors
/// [`PlotError`] if a file cannot be written.
pub fn save(figure: &Figure, directory: &Path, name: &str) -> Result<[PathBuf; 2], PlotError> {
    load_fonts();
    let [svg, png] = ["svg", "png"].map(|kind| directory.join(format!("{name}.{kind}")));
    let size = (WIDTH, height(figure));
    sheet(&SVGBackend::new(&svg, size).into_drawing_area(), figure, 1)
        .map_err(|error| PlotError { path: svg.clone(), reason: error.to_string() })?;
    sheet(&BitMapBackend::new(&png, (size.0 * 2, size.1 * 2)).into_drawing_area(), figure, 2)
        .map_err(|error| PlotError { path: png.clone(), reason: error.to_string() })?;
    Ok([svg, png])
}

/// The fonts are part of the program, so figures do not depend on those of the machine.
fn load_fonts() {
    static LOADED: OnceLock<()> = OnceLock::new();
    LOADED.get_or_init(|| {
        // Noto Sans is a font that the drawing library reads; a figure without text would be seen at once.
        let _ = register_font(FONT, FontStyle::Normal, notosans::REGULAR_TTF);
        let _ = register_font(FONT, FontStyle::Bold, notosans::BOLD_TTF);
    });
}

fn height(figure: &Figure) -> u32 {
    let rows = u32::try_from(figure.panels.len().div_ceil(figure.columns.max(1))).unwrap_or(1);
    let text =
        TITLE + rows_of(legend(figure).len(), LEGEND_ROW) + rows_of(caption(figure).len(), CAPTION_ROW);
    rows * figure.panel_height + (text + 2 * MARGIN).unsigned_abs()
}

fn rows_of(rows: usize, each: i32) -> i32 {
    i32::try_from(rows).unwrap_or(0) * each
}

fn sheet<D: DrawingBackend>(area: &DrawingArea<D, Shift>, figure: &Figure, zoom: i32) -> Drawing<D> {
    area.fill(&WHITE)?;
    let canvas = Canvas { area, zoom };
    canvas.bold(&figure.title, (MARGIN + 8, MARGIN), 20, INK)?;
    let mut top = MARGIN + TITLE;
    for row in legend(figure) {
        for (name, style, left) in row {
            canvas.mark((left + 10, top + 6), style)?;
            canvas.text(&name, (left + 20, top + 1), 13, INK)?;
        }
        top += LEGEND_ROW;
    }
    let columns = i32::try_from(figure.columns.max(1)).unwrap_or(1);
    let width = (i32::try_from(WIDTH).unwrap_or(0) - 2 * MARGIN) / columns;
    let height = i32::try_from(figure.panel_height).unwrap_or(0);
    for (number, panel) in (0..).zip(&figure.panels) {
        let frame = Frame {
            left: MARGIN + number % columns * width,
            top: top + number / columns * height,
            width,
            height,
        };
        panel::draw(&canvas, panel, frame)?;
    }
    top += (i32::try_from(figure.panels.len()).unwrap_or(0) + columns - 1) / columns * height;
    for line in caption(figure) {
        canvas.text(&line, (MARGIN + 8, top), 12, SOFT)?;
        top += CAPTION_ROW;
    }
    area.present()
}

/// The rows of the legend: each name once, with its style and where it starts.
fn legend(figure: &Figure) -> Vec<Vec<(String, usize, i32)>> {
    let mut rows: Vec<Vec<(String, usize, i32)>> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut left = MARGIN;
    for series in figure.panels.iter().flat_map(|panel| &panel.series) {
        if series.name.is_empty() || seen.contains(&series.name.as_str()) {
            continue;
        }
        seen.push(&series.name);
        let width = 42 + rows_of(series.name.chars().count(), 6);
        if rows.is_empty() || left + width > 990 {
            rows.push(Vec::new());
            left = MARGIN;
        }
        if let Some(row) = rows.last_mut() {
            row.push((series.name.clone(), series.style, left));
        }
        left += width;
    }
    rows
}

/// The caption in lines.
fn caption(figure: &Figure) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in figure.caption.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.len() + word.len() >= CAPTION_COLUMNS);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
            line.push(' ');
        }
    }
    lines
}

impl<D: DrawingBackend> Canvas<'_, D> {
    fn place(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (x * self.zoom, y * self.zoom)
    }

    fn write(&self, text: &str, place: (i32, i32), style: &TextStyle<'_>) -> Drawing<D> {
        if text.is_empty() {
            return Ok(());
        }
        self.area.draw(&Text::new(text.to_owned(), self.place(place), style.clone()))
    }

    fn style(
        &self,
        size: i32,
        weight: FontStyle,
        colour: RGBColor,
        across: HPos,
        down: VPos,
    ) -> TextStyle<'static> {
        (FONT, size * self.zoom).into_font().style(weight).color(&colour).pos(Pos::new(across, down))
    }

    /// Text to the right of a place and below it.
    pub(super) fn text(&self, text: &str, place: (i32, i32), size: i32, colour: RGBColor) -> Drawing<D> {
        self.write(text, place, &self.style(size, FontStyle::Normal, colour, HPos::Left, VPos::Top))
    }

    pub(super) fn bold(&self, text: &str, place: (i32, i32), size: i32, colour: RGBColor) -> Drawing<D> {
        self.write(text, place, &self.style(size, FontStyle::Bold, colour, HPos::Left, VPos::Top))
    }

    /// Text below a place.
    pub(super) fn centred(&self, text: &str, place: (i32, i32), size: i32, colour: RGBColor) -> Drawing<D> {
        self.write(text, place, &self.style(size, FontStyle::Normal, colour, HPos::Center, VPos::Top))
    }

    /// Text to the left of a place.
    pub(super) fn right(&self, text: &str, place: (i32, i32), size: i32, colour: RGBColor) -> Drawing<D> {
        self.write(text, place, &self.style(size, FontStyle::Normal, colour, HPos::Right, VPos::Center))
    }

    pub(super) fn line(&self, places: &[(i32, i32)], colour: RGBColor, width: u32) -> Drawing<D> {
        let places: Vec<_> = places.iter().map(|place| self.place(*place)).collect();
        self.area.draw(&PathElement::new(places, colour.stroke_width(width * self.zoom.unsigned_abs())))
    }

    pub(super) fn band(&self, corners: &[(i32, i32)], colour: RGBColor) -> Drawing<D> {
        let corners: Vec<_> = corners.iter().map(|place| self.place(*place)).collect();
        self.area.draw(&Polygon::new(corners, colour.mix(0.18).filled()))
    }

    /// The mark of a style: shape and colour both tell it apart.
    pub(super) fn mark(&self, (x, y): (i32, i32), style: usize) -> Drawing<D> {
        let fill = colour(style).filled();
        let shape = |corners: &[(i32, i32)]| {
            let corners: Vec<_> = corners.iter().map(|(dx, dy)| self.place((x + dx, y + dy))).collect();
            self.area.draw(&Polygon::new(corners, fill))
        };
        match style % 4 {
            0 => self.area.draw(&Circle::new(self.place((x, y)), 4 * self.zoom, fill)),
            1 => shape(&[(-4, -4), (4, -4), (4, 4), (-4, 4)]),
            2 => shape(&[(0, -5), (5, 4), (-5, 4)]),
            _ => shape(&[(0, -6), (5, 0), (0, 6), (-5, 0)]),
        }
    }
}

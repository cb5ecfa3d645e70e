//! One pair of axes with its bands, lines and marks.

use super::scale::Scale;
use super::sheet::{Canvas, Drawing};
use super::{Panel, Point, Series};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

/// Colours that people with any common colour blindness can tell apart (Okabe and Ito), darkest first.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(120, 120, 120),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
const GRID: RGBColor = RGBColor(226, 226, 226);
const ZERO: RGBColor = RGBColor(120, 120, 120);
const INK: RGBColor = RGBColor(40, 40, 40);

/// Room for tick labels on the left, in pixels; axes of names need more.
const LEFT: i32 = 56;
const LEFT_OF_NAMES: i32 = 232;
/// Room for title and label above, for ticks and label below, and to the right.
const ABOVE: i32 = 46;
const BELOW: i32 = 44;
const RIGHT: i32 = 18;

/// Where a panel lies on the sheet, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// The plotting area of a panel and its two scales.
struct Plot {
    area: Frame,
    x: Scale,
    y: Scale,
}

pub(super) fn colour(style: usize) -> RGBColor {
    PALETTE[style % PALETTE.len()]
}

pub(super) fn draw<D: DrawingBackend>(canvas: &Canvas<'_, D>, panel: &Panel, frame: Frame) -> Drawing<D> {
    let left = if panel.y.has_names() { LEFT_OF_NAMES } else { LEFT };
    let area = Frame {
        left: frame.left + left,
        top: frame.top + ABOVE,
        width: frame.width - left - RIGHT,
        height: frame.height - ABOVE - BELOW,
    };
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let rows = panel.y.has_names();
    let plot = Plot {
        area,
        x: panel
            .x
            .fit(points().flat_map(|point| ends(point.x, point.margin, rows)), f64::from(area.width) / 70.0),
        y: panel.y.fit(
            points().flat_map(|point| ends(point.y, point.margin, !rows)),
            f64::from(area.height) / 45.0,
        ),
    };
    plot.axes(canvas, panel, frame)?;
    for series in &panel.series {
        plot.intervals(canvas, series, rows)?;
    }
    for series in &panel.series {
        plot.line_and_marks(canvas, series)?;
    }
    Ok(())
}

/// What an axis must show of a point: the ends of its interval, if that lies along it.
fn ends(at: f64, margin: f64, along: bool) -> [f64; 2] {
    if along { [at - margin, at + margin] } else { [at, at] }
}

impl Plot {
    /// The pixel of a place.
    fn at(&self, x: f64, y: f64) -> (i32, i32) {
        (self.across(x), self.down(y))
    }

    fn across(&self, x: f64) -> i32 {
        self.area.left + pixels(self.x.place(x) * f64::from(self.area.width))
    }

    fn down(&self, y: f64) -> i32 {
        self.area.top + self.area.height - pixels(self.y.place(y) * f64::from(self.area.height))
    }

    fn axes<D: DrawingBackend>(&self, canvas: &Canvas<'_, D>, panel: &Panel, frame: Frame) -> Drawing<D> {
        let Frame { left, top, width, height } = self.area;
        let (right, bottom) = (left + width, top + height);
        canvas.bold(&panel.title, (frame.left + 8, frame.top + 6), 15, INK)?;
        canvas.text(&panel.y.label, (frame.left + 8, frame.top + 26), 12, INK)?;
        canvas.centred(&panel.x.label, (left + width / 2, bottom + 24), 12, INK)?;
        for (at, label) in &self.x.ticks {
            let x = self.across(*at);
            canvas.line(&[(x, top), (x, bottom)], GRID, 1)?;
            canvas.centred(label, (x, bottom + 6), 12, INK)?;
        }
        for (at, label) in &self.y.ticks {
            let y = self.down(*at);
            canvas.line(&[(left, y), (right, y)], GRID, 1)?;
            canvas.right(label, (left - 7, y), 12, INK)?;
        }
        if self.x.crosses_zero() {
            let x = self.across(0.0);
            canvas.line(&[(x, top), (x, bottom)], ZERO, 1)?;
        }
        if self.y.crosses_zero() && !panel.y.has_names() {
            let y = self.down(0.0);
            canvas.line(&[(left, y), (right, y)], ZERO, 1)?;
        }
        Ok(())
    }

    fn intervals<D: DrawingBackend>(
        &self,
        canvas: &Canvas<'_, D>,
        series: &Series,
        rows: bool,
    ) -> Drawing<D> {
        let colour = colour(series.style);
        if series.joined {
            let upper = series.points.iter().map(|point| self.at(point.x, point.y + point.margin));
            let lower = series.points.iter().rev().map(|point| self.at(point.x, point.y - point.margin));
            return canvas.band(&upper.chain(lower).collect::<Vec<_>>(), colour);
        }
        for Point { x, y, margin } in series.points.iter().copied() {
            let bar = if rows {
                [self.at(x - margin, y), self.at(x + margin, y)]
            } else {
                [self.at(x, y - margin), self.at(x, y + margin)]
            };
            canvas.line(&bar, colour, 2)?;
        }
        Ok(())
    }

    fn line_and_marks<D: DrawingBackend>(&self, canvas: &Canvas<'_, D>, series: &Series) -> Drawing<D> {
        let places: Vec<_> = series.points.iter().map(|point| self.at(point.x, point.y)).collect();
        if series.joined {
            canvas.line(&places, colour(series.style), 2)?;
        }
        // Marks would run together on a long series.
        if places.len() > 40 {
            return Ok(());
        }
        places.into_iter().try_for_each(|place| canvas.mark(place, series.style))
    }
}

/// The nearest whole pixel.
#[expect(clippy::cast_possible_truncation, reason = "a place on a sheet of a few thousand pixels")]
fn pixels(number: f64) -> i32 {
    number.round() as i32
}

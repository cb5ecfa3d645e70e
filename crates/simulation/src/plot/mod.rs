//! Figures for the documents: the same drawing as SVG and as PNG, on any machine, with or without fonts.
//!
//! | module | what is in it |
//! |---|---|
//! | `scale` | where a number lies on an axis, and which ticks it has |
//! | `panel` | one pair of axes with its bands, lines and marks |
//! | `sheet` | title, legend, panels and caption of a figure |

mod panel;
mod scale;
mod sheet;

pub use scale::Axis;
pub use sheet::{PlotError, save};

use crate::stats::Mean;

/// A page of panels with one legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What the figure shows, in a few words.
    pub title: String,
    /// What was simulated, how often, and what the bands are.
    pub caption: String,
    /// How many panels stand side by side.
    pub columns: usize,
    /// Height of a panel with its labels, in pixels.
    pub panel_height: u32,
    /// The panels, row by row. One series name has one meaning and one colour in all of them.
    pub panels: Vec<Panel>,
}

/// One pair of axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What distinguishes this panel from the others.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis; its label stands above it.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Which colour and mark of the palette, below 8.
    pub style: usize,
    /// Whether the points are joined, with a band for their intervals; otherwise each has a bar.
    pub joined: bool,
    /// The points, from left to right if joined.
    pub points: Vec<Point>,
}

/// A measured point; its interval lies along the axis that has no names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where it lies horizontally.
    pub x: f64,
    /// Where it lies vertically.
    pub y: f64,
    /// Half the width of its 95 % confidence interval.
    pub margin: f64,
}

impl Series {
    /// A line of means over the given places.
    #[must_use]
    pub fn line(name: impl Into<String>, style: usize, means: impl IntoIterator<Item = (f64, Mean)>) -> Self {
        let points = means.into_iter().map(|(x, mean)| Point { x, y: mean.value, margin: mean.margin });
        Self { name: name.into(), style, joined: true, points: points.collect() }
    }

    /// Separate means, each in the row of its number on an axis of names.
    #[must_use]
    pub fn rows(
        name: impl Into<String>,
        style: usize,
        means: impl IntoIterator<Item = (usize, Mean)>,
    ) -> Self {
        let points =
            means.into_iter().map(|(row, mean)| Point { x: mean.value, y: row as f64, margin: mean.margin });
        Self { name: name.into(), style, joined: false, points: points.collect() }
    }
}

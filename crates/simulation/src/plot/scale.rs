//! Where a number lies on an axis.

/// An axis: what it measures and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    kind: Kind,
    range: Option<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Linear,
    /// Each step doubles.
    Log,
    /// One row for each name.
    Names(Vec<String>),
}

impl Axis {
    /// An axis with even steps that always shows zero.
    #[must_use]
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: Kind::Linear, range: None }
    }

    /// An axis on which each step doubles; for numbers above zero.
    #[must_use]
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: Kind::Log, range: None }
    }

    /// Rows with names, the first one on top.
    #[must_use]
    pub fn names(names: impl IntoIterator<Item = String>) -> Self {
        Self { label: String::new(), kind: Kind::Names(names.into_iter().collect()), range: None }
    }

    /// The same axis from `low` to `high`, whatever the data; what lies outside is cut off.
    #[must_use]
    pub fn within(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }

    pub(super) fn has_names(&self) -> bool {
        matches!(self.kind, Kind::Names(_))
    }

    /// The axis laid out for `data`, with about `ticks` ticks.
    pub(super) fn fit(&self, data: impl Iterator<Item = f64>, ticks: f64) -> Scale {
        let (low, high) = self.range.unwrap_or_else(|| extent(data.filter(|one| one.is_finite())));
        match &self.kind {
            Kind::Linear => linear(low, high, ticks, self.range.is_some()),
            Kind::Log => logarithmic(low, high),
            Kind::Names(names) => {
                let rows = names.iter().enumerate().map(|(row, name)| (row as f64, name.clone()));
                // The first row is on top, so the axis runs downwards.
                Scale { low: names.len() as f64 - 0.5, high: -0.5, log: false, ticks: rows.collect() }
            }
        }
    }
}

fn extent(data: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        data.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one), high.max(one)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// An axis laid out: its ends and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    /// Where ticks are, and what they say.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// How far along the axis a number lies, from 0 to 1; held at its ends.
    pub(super) fn place(&self, number: f64) -> f64 {
        let at = |number: f64| if self.log { number.max(f64::MIN_POSITIVE).log2() } else { number };
        ((at(number) - at(self.low)) / (at(self.high) - at(self.low))).clamp(0.0, 1.0)
    }

    /// Whether zero is a place between the ends.
    pub(super) fn crosses_zero(&self) -> bool {
        !self.log && self.low < 0.0 && self.high > 0.0
    }
}

fn linear(low: f64, high: f64, ticks: f64, fixed: bool) -> Scale {
    let (low, high) = if fixed { (low, high) } else { padded(low.min(0.0), high.max(0.0)) };
    let step = nice((high - low) / ticks);
    let mut labels = Vec::new();
    let mut tick = (low / step - 1e-9).ceil();
    while tick * step <= high + 1e-9 * step {
        labels.push((tick * step, label(tick * step, step)));
        tick += 1.0;
    }
    Scale { low, high, log: false, ticks: labels }
}

/// A little room beyond the data, none beyond zero; from 0 to 1 if there is nothing to show.
fn padded(low: f64, high: f64) -> (f64, f64) {
    let room = 0.04 * (high - low);
    if room == 0.0 {
        return (0.0, 1.0);
    }
    (if low < 0.0 { low - room } else { 0.0 }, if high > 0.0 { high + room } else { 0.0 })
}

fn logarithmic(low: f64, high: f64) -> Scale {
    let (first, last) = (low.log2().floor(), high.log2().ceil());
    let mut ticks = Vec::new();
    let mut exponent = first;
    while exponent <= last {
        let at = exponent.exp2();
        if (low * 0.999..=high * 1.001).contains(&at) {
            ticks.push((at, label(at, at.min(1.0))));
        }
        exponent += 1.0;
    }
    Scale { low, high, log: true, ticks }
}

/// The next step of 1, 2 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= step * 0.999);
    factor.unwrap_or(10.0) * power
}

/// A number with as many digits as steps of this size need.
fn label(number: f64, step: f64) -> String {
    let mut digits = 0;
    let mut rest = step.abs();
    while digits < 6 && (rest - rest.round()).abs() > 1e-6 {
        rest *= 10.0;
        digits += 1;
    }
    let text = format!("{number:.digits$}");
    // No negative zero, and a real minus sign.
    if text.trim_start_matches('-').chars().all(|one| matches!(one, '0' | '.')) {
        return "0".to_owned();
    }
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn a_linear_axis_shows_zero_and_round_steps() {
        let scale = Axis::linear("x").fit([3.0, 9.3].into_iter(), 5.0);
        assert_eq!(labels(&scale), ["0", "2", "4", "6", "8"]);
        assert_eq!((scale.place(0.0), scale.place(9.3) < 1.0, scale.place(99.0)), (0.0, true, 1.0));
        let below = Axis::linear("x").fit([-0.3, 0.1].into_iter(), 4.0);
        assert_eq!(labels(&below), ["\u{2212}0.2", "0"]);
        assert!(below.crosses_zero() && below.place(-0.3) > 0.0);
    }

    #[test]
    fn a_log_axis_doubles() {
        let scale = Axis::log("x").fit([0.5, 4.0].into_iter(), 5.0);
        assert_eq!(labels(&scale), ["0.5", "1", "2", "4"]);
        assert!((scale.place(1.0) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_first_name_is_on_top() {
        let scale = Axis::names(["a".to_owned(), "b".to_owned()]).fit(std::iter::empty(), 5.0);
        assert!(scale.place(0.0) > scale.place(1.0));
        assert_eq!(labels(&scale), ["a", "b"]);
    }

    #[test]
    fn no_data_and_one_point_still_have_an_axis() {
        assert_eq!(labels(&Axis::linear("x").fit(std::iter::empty(), 2.0)), ["0", "1"]);
        assert!(Axis::linear("x").fit([0.0].into_iter(), 2.0).ticks.len() > 1);
    }
}

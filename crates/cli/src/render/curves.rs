//! Supply and demand of a round as step curves, with the prices at which it cleared.
//!
//! The two curves differ in the kind of their lines (heavy and double), so that the picture reads the same without
//! colour. Everything is integers: a curve passes through the cell that holds its value.

use super::Palette;

const MIN_WIDTH: usize = 24;
const HEIGHT: usize = 16;

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Curves {
    /// Unit fee (ticks per unit) and size (units) of every bid, in any order.
    pub(crate) bids: Vec<(u64, u64)>,
    /// Unit cost (ticks per unit) and capacity (units) of every ask, in any order.
    pub(crate) asks: Vec<(u64, u64)>,
    /// What users pay (ticks per unit).
    pub(crate) user_price: u64,
    /// What provers are paid (ticks per unit).
    pub(crate) prover_price: u64,
    /// How much was traded (units); 0 for a round without a trade.
    pub(crate) units: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    None,
    Demand,
    Supply,
    Gain,
    Price,
}

/// The picture before colours: characters and what each stands for, the highest price in row 0.
struct Canvas {
    cells: Vec<Vec<(char, Ink)>>,
    width: usize,
    max_price: u64,
    max_units: u64,
}

impl Curves {
    /// The picture, at most `width` columns wide.
    pub(crate) fn draw(&self, palette: Palette, width: usize) -> String {
        let (demand, supply) = (steps(&self.bids, true), steps(&self.asks, false));
        let max_units = total(&self.bids).max(total(&self.asks));
        let max_price = [&self.bids, &self.asks].into_iter().flatten().map(|(price, _)| *price).max();
        let (Some(max_price), true) = (max_price, max_units > 0) else {
            return "  no bids and no asks\n".into();
        };
        let labels = self.labels(max_price);
        let margin = labels.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
        let plot = width.saturating_sub(margin + 6).clamp(MIN_WIDTH, 96);
        let mut canvas = Canvas::new(plot, max_price, max_units);
        canvas.gain(&demand, &supply, self.units);
        if self.units > 0 {
            canvas.price_line(self.prover_price, self.units, '╌');
            canvas.price_line(self.user_price, self.units, '┄');
        }
        canvas.steps(&supply, Ink::Supply, &LineSet::SUPPLY);
        canvas.steps(&demand, Ink::Demand, &LineSet::DEMAND);
        let mut text = canvas.paint(palette, &labels, margin);
        text += &self.axis(&canvas, margin);
        text += &self.legend(palette, margin);
        text
    }

    /// Prices written at the left, by the row that they stand in.
    fn labels(&self, max_price: u64) -> Vec<(usize, String)> {
        let row = |price| row_of(price, max_price);
        let mut labels = Vec::new();
        if self.units > 0 {
            let (user, prover) = (row(self.user_price), row(self.prover_price));
            if self.user_price == self.prover_price {
                labels.push((user, format!("price {}", self.user_price)));
            } else if user == prover {
                labels.push((user, format!("prices {}, {}", self.user_price, self.prover_price)));
            } else {
                labels.push((user, format!("users pay {}", self.user_price)));
                labels.push((prover, format!("provers get {}", self.prover_price)));
            }
        }
        for (at, price) in [(0, max_price), (HEIGHT - 1, 0)] {
            if labels.iter().all(|(taken, _)| *taken != at) {
                labels.push((at, price.to_string()));
            }
        }
        labels
    }

    fn axis(&self, canvas: &Canvas, margin: usize) -> String {
        let mark = (self.units > 0).then(|| canvas.column_of(self.units).min(canvas.width - 1));
        let rule: String = (0..canvas.width).map(|at| if Some(at) == mark { '┴' } else { '─' }).collect();
        let mut line = format!("{} 0", " ".repeat(margin + 3));
        let end = margin + 4 + canvas.width;
        if let Some(mark) = mark {
            let label = format!("{} traded", self.units);
            let at = (margin + 4 + mark).saturating_sub(label.len() / 2).max(line.chars().count() + 2);
            line += &" ".repeat(at - line.chars().count());
            line += &label;
        }
        let label = format!("{} units", canvas.max_units);
        let at = end.saturating_sub(label.len()).max(line.chars().count() + 2);
        line += &" ".repeat(at - line.chars().count());
        line += &label;
        format!("{}  └{rule}\n{line}\n", " ".repeat(margin + 1))
    }

    fn legend(&self, palette: Palette, margin: usize) -> String {
        let indent = " ".repeat(margin + 4);
        let mut text = format!(
            "{indent}{} demand: bids, highest unit fee first\n{indent}{} supply: asks, lowest unit cost first\n",
            palette.demand("━━"),
            palette.supply("══"),
        );
        if self.units > 0 {
            text += &format!("{indent}░░ what the trade gains\n");
        }
        text
    }
}

/// The characters of a step curve.
struct LineSet {
    level: char,
    upright: char,
    /// Where the upright meets the level before it, going down and going up.
    leave: (char, char),
    /// Where the upright meets the level after it, coming down and coming up.
    arrive: (char, char),
}

impl LineSet {
    const DEMAND: Self = Self { level: '━', upright: '┃', leave: ('┓', '┛'), arrive: ('┗', '┏') };
    const SUPPLY: Self = Self { level: '═', upright: '║', leave: ('╗', '╝'), arrive: ('╚', '╔') };
}

impl Canvas {
    fn new(width: usize, max_price: u64, max_units: u64) -> Self {
        Self { cells: vec![vec![(' ', Ink::None); width]; HEIGHT], width, max_price, max_units }
    }

    fn put(&mut self, row: usize, column: usize, glyph: char, ink: Ink) {
        if let Some(cell) = self.cells.get_mut(row).and_then(|line| line.get_mut(column)) {
            *cell = (glyph, ink);
        }
    }

    /// The first unit that a column stands for.
    fn unit_of(&self, column: usize) -> u64 {
        scale(column as u64, self.max_units, self.width as u64)
    }

    /// The column that a unit falls into.
    fn column_of(&self, unit: u64) -> usize {
        usize::try_from(scale(unit, self.width as u64, self.max_units)).unwrap_or(usize::MAX)
    }

    fn row(&self, price: u64) -> usize {
        row_of(price, self.max_price)
    }

    /// Fills what lies between demand and supply up to `units`.
    fn gain(&mut self, demand: &[(u64, u64)], supply: &[(u64, u64)], units: u64) {
        for column in 0..self.width {
            let unit = self.unit_of(column);
            if unit >= units {
                return;
            }
            if let (Some(above), Some(below)) = (price_at(demand, unit), price_at(supply, unit)) {
                for row in self.row(above)..=self.row(below) {
                    self.put(row, column, '░', Ink::Gain);
                }
            }
        }
    }

    fn price_line(&mut self, price: u64, units: u64, glyph: char) {
        let row = self.row(price);
        for column in 0..self.column_of(units) {
            self.put(row, column, glyph, Ink::Price);
        }
    }

    fn steps(&mut self, curve: &[(u64, u64)], ink: Ink, lines: &LineSet) {
        let mut previous: Option<usize> = None;
        for column in 0..self.width {
            let Some(price) = price_at(curve, self.unit_of(column)) else { return };
            let row = self.row(price);
            match previous {
                Some(before) if before != row => {
                    let down = row > before;
                    let pick = |pair: (char, char)| if down { pair.0 } else { pair.1 };
                    for between in before.min(row) + 1..before.max(row) {
                        self.put(between, column, lines.upright, ink);
                    }
                    self.put(before, column, pick(lines.leave), ink);
                    self.put(row, column, pick(lines.arrive), ink);
                }
                _ => self.put(row, column, lines.level, ink),
            }
            previous = Some(row);
        }
    }

    fn paint(&self, palette: Palette, labels: &[(usize, String)], margin: usize) -> String {
        let mut text = String::new();
        for (row, line) in self.cells.iter().enumerate() {
            let label = labels.iter().find(|(at, _)| *at == row).map_or("", |(_, label)| label);
            let tick = if label.is_empty() { '│' } else { '┤' };
            let mut rest: &[(char, Ink)] = line;
            let mut painted = String::new();
            while let Some((_, ink)) = rest.first() {
                let run = rest.iter().take_while(|(_, other)| other == ink).count();
                let (head, tail) = rest.split_at(run);
                let glyphs: String = head.iter().map(|(glyph, _)| glyph).collect();
                painted += &match ink {
                    Ink::Demand => palette.demand(&glyphs),
                    Ink::Supply => palette.supply(&glyphs),
                    Ink::Gain => palette.faint(&glyphs),
                    Ink::Price => palette.strong(&glyphs),
                    Ink::None => glyphs,
                };
                rest = tail;
            }
            text += format!("  {label:>margin$} {tick}{painted}").trim_end();
            text.push('\n');
        }
        text
    }
}

/// Offers as a curve: price and the unit at which it ends.
fn steps(offers: &[(u64, u64)], highest_first: bool) -> Vec<(u64, u64)> {
    let mut sorted = offers.to_vec();
    sorted.sort_by_key(|(price, _)| if highest_first { u64::MAX - price } else { *price });
    let mut end = 0u64;
    for (_, units) in &mut sorted {
        end = end.saturating_add(*units);
        *units = end;
    }
    sorted
}

/// Price of the offer that unit number `unit` belongs to.
fn price_at(curve: &[(u64, u64)], unit: u64) -> Option<u64> {
    let at = curve.partition_point(|(_, end)| *end <= unit);
    curve.get(at).map(|(price, _)| *price)
}

fn total(offers: &[(u64, u64)]) -> u64 {
    offers.iter().fold(0, |sum, (_, units)| sum.saturating_add(*units))
}

fn row_of(price: u64, max_price: u64) -> usize {
    let below = scale(max_price.saturating_sub(price), HEIGHT as u64 - 1, max_price.max(1));
    usize::try_from(below).unwrap_or(HEIGHT - 1).min(HEIGHT - 1)
}

/// `value * to / from`, rounded down.
fn scale(value: u64, to: u64, from: u64) -> u64 {
    let product = u128::from(value) * u128::from(to) / u128::from(from.max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::measure_text_width;

    /// The worked example of the mechanism's description.
    fn example() -> Curves {
        Curves {
            bids: vec![(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)],
            asks: vec![(1, 5), (3, 4), (4, 6), (8, 9)],
            user_price: 5,
            prover_price: 4,
            units: 9,
        }
    }

    #[test]
    fn prices_and_quantity_are_written_at_the_axes() {
        let drawn = example().draw(Palette::PLAIN, 80);
        assert!(drawn.contains("users pay 5 ┤"), "{drawn}");
        assert!(drawn.contains("provers get 4 ┤"), "{drawn}");
        assert!(drawn.contains("9 traded"), "{drawn}");
        assert!(drawn.contains("24 units"), "{drawn}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [50, 60, 80, 100, 200] {
            let drawn = example().draw(Palette::PLAIN, width);
            let widest = drawn.lines().map(measure_text_width).max().unwrap();
            assert!(widest <= width.max(60), "{widest} > {width}\n{drawn}");
        }
    }

    #[test]
    fn demand_falls_and_supply_rises() {
        let (demand, supply) = (steps(&example().bids, true), steps(&example().asks, false));
        assert!(demand.windows(2).all(|pair| pair[0].0 >= pair[1].0));
        assert!(supply.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert_eq!(price_at(&demand, 0), Some(9));
        assert_eq!(price_at(&demand, 8), Some(7));
        assert_eq!(price_at(&demand, 9), Some(5));
        assert_eq!(price_at(&demand, 20), None);
        assert_eq!(price_at(&supply, 4), Some(1));
        assert_eq!(price_at(&supply, 5), Some(3));
    }

    #[test]
    fn demand_starts_at_the_top_and_supply_near_the_bottom() {
        let drawn = example().draw(Palette::PLAIN, 80);
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines[0].contains('━'), "{drawn}");
        assert!(lines[HEIGHT - 3..HEIGHT].iter().any(|line| line.contains('═')), "{drawn}");
    }

    #[test]
    fn a_round_without_a_trade_shows_no_price() {
        let curves = Curves { units: 0, user_price: 0, prover_price: 0, ..example() };
        let drawn = curves.draw(Palette::PLAIN, 80);
        assert!(!drawn.contains("users pay") && !drawn.contains('░') && !drawn.contains("traded"), "{drawn}");
        assert_eq!(Curves::default().draw(Palette::PLAIN, 80), "  no bids and no asks\n");
    }

    #[test]
    fn extremes_do_not_overflow() {
        let curves = Curves {
            bids: vec![(u64::MAX, u64::MAX), (1, u64::MAX)],
            asks: vec![(0, 1), (u64::MAX, u64::MAX)],
            user_price: u64::MAX,
            prover_price: 0,
            units: u64::MAX,
        };
        assert_eq!(curves.draw(Palette::PLAIN, 20).lines().count(), HEIGHT + 5);
    }
}

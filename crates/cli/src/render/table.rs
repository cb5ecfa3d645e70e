//! Aligned columns.

use super::Palette;
use console::measure_text_width;

/// A column: its title and on which side its cells stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Text.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Left(title) | Self::Right(title) => title,
        }
    }
}

/// Rows of cells under titles.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; a missing cell is empty, one too many is dropped.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().take(self.columns.len()).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table with a line under its titles, each line indented by two.
    pub(crate) fn draw(&self, palette: Palette) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cells =
                    self.rows.iter().filter_map(|row| row.get(at)).map(|cell| measure_text_width(cell));
                cells.chain([measure_text_width(column.title())]).max().unwrap_or(0)
            })
            .collect();
        let titles: Vec<String> = self.columns.iter().map(|column| column.title().to_owned()).collect();
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let mut text = palette.strong(&self.line(&titles, &widths)) + "\n";
        text += &(palette.faint(&self.line(&rule, &widths)) + "\n");
        for row in &self.rows {
            text += &(self.line(row, &widths) + "\n");
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), column) in cells.iter().zip(widths).zip(&self.columns) {
            let gap = " ".repeat(width.saturating_sub(measure_text_width(cell)));
            line += "  ";
            match column {
                Column::Left(_) => line += &format!("{cell}{gap}"),
                Column::Right(_) => line += &format!("{gap}{cell}"),
            }
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_text_left() {
        let mut table = Table::new([Column::Left("who"), Column::Right("paid")]);
        table.row(["ann".into(), "5".into()]);
        table.row(["barbara".into(), "1,000".into()]);
        let expected = "  who       paid\n  ───────  ─────\n  ann          5\n  barbara  1,000\n";
        assert_eq!(table.draw(Palette::PLAIN), expected);
    }

    #[test]
    fn colours_do_not_shift_columns() {
        let mut table = Table::new([Column::Left("a"), Column::Right("b")]);
        table.row(["\u{1b}[32mok\u{1b}[0m".into(), "1".into()]);
        let drawn = table.draw(Palette::PLAIN);
        let line = drawn.lines().last().unwrap();
        assert_eq!(console::strip_ansi_codes(line), "  ok  1");
    }

    #[test]
    fn rows_are_brought_to_the_number_of_columns() {
        let mut table = Table::new([Column::Left("a"), Column::Left("b")]);
        table.row(["x".into()]);
        table.row(["x".into(), "y".into(), "z".into()]);
        assert_eq!(table.draw(Palette::PLAIN).lines().skip(2).collect::<Vec<_>>(), ["  x", "  x  y"]);
    }
}

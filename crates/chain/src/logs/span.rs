//! How many blocks to ask for at once, learned from the answers. Pure.

/// Logs that an answer should hold at most. What is in memory at once is mostly about as much.
const TARGET: u64 = 5_000;

/// Blocks to begin with. Spans double from there, so that a quiet chain is soon read in large ones.
const FIRST: u64 = 256;

/// Answers after which a span that was refused is tried again: the range may be one with fewer logs, or the node another.
const FORGET_AFTER: u32 = 64;

/// How many blocks to ask for at once.
#[derive(Debug, Clone)]
pub(super) struct Span {
    blocks: u64,
    most: u64,
    /// The smallest span that was refused lately.
    refused: Option<u64>,
    answers: u32,
}

impl Span {
    /// Never more than `most` blocks, which is at least 1.
    pub(super) fn new(most: u64) -> Self {
        let most = most.max(1);
        Self { blocks: most.min(FIRST), most, refused: None, answers: 0 }
    }

    /// The last block to ask for when the first is `from`, and nothing after `last` is wanted.
    pub(super) fn end(&self, from: u64, last: u64) -> u64 {
        from.saturating_add(self.blocks.saturating_sub(1)).min(last)
    }

    /// `asked` blocks were answered for, with so many logs.
    pub(super) fn answered(&mut self, asked: u64, logs: u64) {
        self.answers = self.answers.saturating_add(1);
        if self.answers >= FORGET_AFTER {
            (self.refused, self.answers) = (None, 0);
        }
        if logs > TARGET {
            self.blocks = (asked.saturating_mul(TARGET) / logs).max(1);
        } else if logs.saturating_mul(2) <= TARGET && asked >= self.blocks {
            self.blocks = self.grown().min(self.most);
        }
    }

    /// Twice as many; near a span that was refused, less and less more.
    fn grown(&self) -> u64 {
        let doubled = self.blocks.saturating_mul(2);
        let Some(refused) = self.refused else { return doubled };
        let room = refused.saturating_sub(self.blocks);
        if doubled < refused {
            doubled
        } else if room > refused / 8 {
            self.blocks.saturating_add(room / 4)
        } else {
            self.blocks
        }
    }

    /// `asked` blocks were too many; the node says that `suggested` would do.
    pub(super) fn refused(&mut self, asked: u64, suggested: Option<u64>) {
        self.refused = Some(asked);
        self.answers = 0;
        self.fewer(asked, suggested);
    }

    /// Asks for half of `asked` next, or for what was suggested.
    pub(super) fn fewer(&mut self, asked: u64, suggested: Option<u64>) {
        let suggested = suggested.filter(|blocks| (1..asked).contains(blocks));
        self.blocks = suggested.unwrap_or(asked / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `blocks` blocks with so many logs each from a node with limits; how often it refused, and how many answers it took.
    fn read(span: &mut Span, blocks: u64, density: u64, most_blocks: u64, most_logs: u64) -> (u64, u64) {
        let (mut from, mut refusals, mut answers) = (0, 0, 0);
        while from < blocks {
            let asked = span.end(from, blocks - 1) - from + 1;
            if asked > most_blocks || asked * density > most_logs {
                assert!(asked > 1, "the node would never answer");
                span.refused(asked, None);
                refusals += 1;
            } else {
                span.answered(asked, asked * density);
                from += asked;
                answers += 1;
            }
        }
        (refusals, answers)
    }

    #[test]
    fn spans_double_up_to_the_most_while_there_is_little_to_read() {
        let mut span = Span::new(5_000);
        assert_eq!(read(&mut span, 1_000_000, 0, u64::MAX, u64::MAX), (0, 204));
        assert_eq!(span.blocks, 5_000);
    }

    #[test]
    fn a_limit_of_blocks_is_found_and_then_rarely_hit() {
        let mut span = Span::new(5_000);
        let (refusals, answers) = read(&mut span, 100_000, 0, 1_000, u64::MAX);
        assert!(refusals <= 6 && answers <= 130, "{refusals} {answers}");
    }

    #[test]
    fn answers_stay_about_as_large_as_wanted_where_logs_are_dense() {
        let mut span = Span::new(5_000);
        let (refusals, answers) = read(&mut span, 10_000, 100, u64::MAX, 10_000);
        assert!(refusals <= 4 && answers <= 420, "{refusals} {answers}");
        span.answered(50, 50_000);
        assert_eq!(span.blocks, 5);
        span.answered(5, 500_000);
        assert_eq!(span.blocks, 1);
    }

    #[test]
    fn a_suggestion_is_taken_if_it_is_less_than_what_was_asked() {
        let mut span = Span::new(100);
        span.refused(100, Some(30));
        assert_eq!(span.end(7, 1_000), 36);
        span.refused(30, Some(30));
        assert_eq!(span.end(7, 1_000), 21);
        span.refused(15, Some(0));
        assert_eq!(span.end(7, 1_000), 13);
        span.fewer(1, None);
        assert_eq!(span.end(7, 1_000), 7);
        assert_eq!(span.end(u64::MAX, u64::MAX), u64::MAX);
    }
}

//! The page that says what each code means.

use super::ALL;

const HEAD: &str = "\
# Error codes

Each warning and error that `relayer` and `prover-node` log has a code that stays the same from version to version: with `--json` in the
field `code`, otherwise as `code=\"R-102\"`. The metric `proophi_troubles_total` counts them by code. This page is made from the code
(`cargo run -p service --example errors > docs/operations/errors.md`), and a test compares them.

R: the relayer. P: the prover node. S: both.

";

const TAIL: &str = "\
## When a program ends
What ends a program is said in its last line on stderr, with an exit code that systemd and scripts see:

| exit code | what happened | what to do |
|---|---|---|
| 0 | it was asked to stop, and has; R-104, R-307 or P-102 say if something was cut off | nothing |
| 1 | something failed that is none of the following | the last line says what; restarting may help |
| 2 | the command line, a setting or the key is wrong | mend what the last line names; restarting does not help |
| 3 | another chain, contract or market than expected; no connection, with `--once` or to the queue of proofs. Otherwise a start waits for an endpoint (S-103) | `proophi doctor --for relayer` or `--for prover` |
";

/// The page, in Markdown.
#[must_use]
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for trouble in ALL {
        page += &format!(
            "## {}\n**{}.** {}\n\n*What to do:* {}\n\n",
            trouble.code,
            capitalised(trouble.title),
            trouble.happened,
            trouble.advice
        );
    }
    page + TAIL
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

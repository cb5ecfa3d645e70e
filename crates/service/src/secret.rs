//! What is never shown: keys and passwords, and the parts of endpoints' addresses that are keys to them.
//!
//! Nothing here logs a secret, and libraries are not trusted with that: what the process has read of them is masked in every line
//! that it logs, and in its last words.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

/// Shorter texts would be found everywhere.
const LEAST: usize = 8;
const MASK: &str = "[hidden]";

static HIDDEN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Masks a text, of 8 letters or more, in whatever is logged from now on.
pub fn hide(secret: &str) {
    let mut hidden = HIDDEN.write().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= LEAST && !hidden.iter().any(|known| known == secret) {
        hidden.push(secret.to_owned());
    }
}

/// Masks what may be a key in the addresses of endpoints, with commas between: users with passwords, paths, queries.
pub fn hide_urls(urls: &str) {
    for url in urls.split(',') {
        let rest = url.trim().split_once("://").map_or(url, |(_, rest)| rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some((user, _)) = authority.rsplit_once('@') {
            hide(user);
        }
        hide(path.trim_end_matches('/'));
    }
}

/// A text without what is hidden.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let hidden = HIDDEN.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for secret in hidden.iter().filter(|secret| !secret.is_empty()) {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), MASK));
        }
    }
    text
}

/// Writes what it is given without what is hidden. It has to be given whole lines.
#[derive(Debug)]
pub(crate) struct Masked<W>(pub(crate) W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(without_secrets(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_written_whoever_says_it() {
        hide("a-password-of-tests");
        hide_urls("https://user:pass-word@rpc.example.org/v3/an-api-key-of-tests/, http://127.0.0.1:8545");
        let mut written = Vec::new();
        let line = "cannot reach https://user:pass-word@rpc.example.org/v3/an-api-key-of-tests with a-password-of-tests\n";
        Masked(&mut written).write_all(line.as_bytes()).unwrap();
        let said = String::from_utf8(written).unwrap();
        assert_eq!(said, "cannot reach https://[hidden]@rpc.example.org/[hidden] with [hidden]\n");
    }

    #[test]
    fn short_texts_are_no_secrets() {
        hide("of");
        assert_eq!(without_secrets("some of it"), "some of it");
    }
}

//! One planted failing test, by which `script/tools/canary` shows that a failing Rust test fails the run.

#[cfg(test)]
mod tests {
    #[test]
    fn fails_only_where_a_failure_is_planted() {
        assert!(std::env::var_os("PROOPHI_CANARY").is_none(), "planted failure");
    }
}

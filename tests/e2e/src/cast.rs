//! Who takes part in the stories.

/// Somebody with an account on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// What the person and its programs are called.
    pub name: &'static str,
    /// Number of its account on the chain.
    pub account: usize,
}

/// Everybody. Account 0 deploys.
pub mod people {
    use super::Person;

    /// Wants proofs.
    pub const RITA: Person = Person { name: "rita", account: 1 };
    /// Wants proofs.
    pub const RALPH: Person = Person { name: "ralph", account: 2 };
    /// Wants proofs.
    pub const ROSA: Person = Person { name: "rosa", account: 3 };
    /// Wants proofs.
    pub const RUDI: Person = Person { name: "rudi", account: 4 };
    /// Proves.
    pub const ADA: Person = Person { name: "ada", account: 7 };
    /// Proves.
    pub const BOOLE: Person = Person { name: "boole", account: 8 };
    /// Proves.
    pub const CURIE: Person = Person { name: "curie", account: 9 };
    /// Settles.
    pub const SELMA: Person = Person { name: "selma", account: 12 };
    /// Settles, too.
    pub const SIMON: Person = Person { name: "simon", account: 13 };
}

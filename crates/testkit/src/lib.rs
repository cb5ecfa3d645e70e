//! A real chain for tests.

//! Prints the page of error codes: `cargo run -p service --example errors > docs/operations/errors.md`.

fn main() {
    print!("{}", service::document());
}

//! Prints the OpenAPI document of the intake, as `docs/openapi.json` has it.

fn main() {
    print!("{}", relayer::intake::http::openapi());
}

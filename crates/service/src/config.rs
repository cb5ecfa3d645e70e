//! Configuration from a file, the environment and flags.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The node of a development chain on this machine, for programs that are told of no other.
pub const DEFAULT_RPC_URL: &str = "http://127.0.0.1:8545";

/// Where the configuration of a program comes from. Later ones win: the file, variables that all programs share
/// (`PROOPHI_*`), the program's own variables, flags.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// A TOML file. One that was named must be there.
    pub file: Option<&'a Path>,
    /// Keys that `PROOPHI_<KEY>` may set. Other variables with that prefix are for other programs and are ignored.
    pub shared_keys: &'a [&'a str],
    /// Prefix of the program's own variables, with its underscore: `RELAYER_`. All of them must be known keys.
    pub prefix: &'a str,
}

/// Why there is no valid configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("the configuration file {} does not exist; check --config", .0.display())]
    NoSuchFile(PathBuf),
    /// A key is unknown or missing, or a value cannot be what it should; the message names key and source.
    #[error("configuration: {}", .0.to_string().replace('\n', "; "))]
    Invalid(Box<figment::Error>),
}

/// Reads a configuration. `C` decides what is allowed: derive it with `deny_unknown_fields`, so that a key that is spelt
/// wrong is an error and not silently ignored. In `flags`, whatever was not given must not be serialized
/// (`skip_serializing_if = "Option::is_none"`).
///
/// # Errors
/// [`ConfigError`] with a message that says which key of which source is wrong.
pub fn load_config<C: DeserializeOwned>(
    sources: &Sources<'_>,
    flags: &impl Serialize,
) -> Result<C, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = sources.file {
        if !file.is_file() {
            return Err(ConfigError::NoSuchFile(file.to_owned()));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    figment
        .merge(Env::prefixed("PROOPHI_").only(sources.shared_keys))
        // Where the file is, is no setting of the file.
        .merge(Env::prefixed(sources.prefix).ignore(&["config"]))
        .merge(Serialized::defaults(flags))
        .extract()
        .map_err(|error| ConfigError::Invalid(Box::new(error)))
}

#[cfg(test)]
#[allow(clippy::result_large_err)] // the signature of `Jail::expect_with`
mod tests {
    use super::*;
    use figment::Jail;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Config {
        rpc_url: String,
        #[serde(default)]
        workers: u32,
    }

    #[derive(Debug, Default, Serialize)]
    struct Flags {
        #[serde(skip_serializing_if = "Option::is_none")]
        rpc_url: Option<String>,
    }

    fn load(file: Option<&str>, flags: &Flags) -> Result<Config, ConfigError> {
        let sources =
            Sources { file: file.map(Path::new), shared_keys: &["rpc_url"], prefix: "TESTPROGRAM_" };
        load_config(&sources, flags)
    }

    #[test]
    fn flags_win_over_environment_and_environment_over_file() {
        Jail::expect_with(|jail| {
            jail.create_file("a.toml", "rpc_url = 'file'\nworkers = 3")?;
            let none = Flags::default();
            assert_eq!(load(Some("a.toml"), &none).unwrap(), Config { rpc_url: "file".into(), workers: 3 });
            jail.set_env("PROOPHI_RPC_URL", "shared");
            assert_eq!(load(Some("a.toml"), &none).unwrap().rpc_url, "shared");
            jail.set_env("TESTPROGRAM_RPC_URL", "own");
            assert_eq!(load(Some("a.toml"), &none).unwrap().rpc_url, "own");
            let flags = Flags { rpc_url: Some("flag".into()) };
            assert_eq!(load(Some("a.toml"), &flags).unwrap().rpc_url, "flag");
            Ok(())
        });
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        Jail::expect_with(|jail| {
            jail.create_file("a.toml", "rpc_url = 'x'\nworkerz = 3")?;
            let error = load(Some("a.toml"), &Flags::default()).unwrap_err().to_string();
            assert!(error.contains("workerz"), "{error}");
            Ok(())
        });
        Jail::expect_with(|jail| {
            jail.set_env("TESTPROGRAM_RPC_URL", "x");
            jail.set_env("TESTPROGRAM_WORKERZ", "3");
            let error = load(None, &Flags::default()).unwrap_err().to_string();
            assert!(error.to_lowercase().contains("workerz"), "{error}");
            Ok(())
        });
    }

    #[test]
    fn the_variable_that_names_the_file_is_no_unknown_key() {
        Jail::expect_with(|jail| {
            jail.create_file("a.toml", "rpc_url = 'file'")?;
            jail.set_env("TESTPROGRAM_CONFIG", "a.toml");
            assert_eq!(load(Some("a.toml"), &Flags::default()).unwrap().rpc_url, "file");
            Ok(())
        });
    }

    #[test]
    fn shared_variables_of_other_programs_are_ignored() {
        Jail::expect_with(|jail| {
            jail.set_env("PROOPHI_RPC_URL", "x");
            jail.set_env("PROOPHI_PRIVATE_KEY", "secret");
            assert_eq!(load(None, &Flags::default()).unwrap().rpc_url, "x");
            Ok(())
        });
    }

    #[test]
    fn a_missing_key_and_a_missing_file_are_named() {
        Jail::expect_with(|_| {
            let error = load(None, &Flags::default()).unwrap_err().to_string();
            assert!(error.contains("rpc_url"), "{error}");
            let error = load(Some("none.toml"), &Flags::default()).unwrap_err();
            assert!(matches!(&error, ConfigError::NoSuchFile(path) if path == Path::new("none.toml")));
            Ok(())
        });
    }
}

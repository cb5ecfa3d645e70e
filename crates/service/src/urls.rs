//! Addresses of endpoints as a setting: one, or several.

use serde::{Deserialize, Deserializer, Serializer};

/// For `serialize_with`: the values of a flag that may be repeated, as one text.
///
/// # Errors
/// The serializer's.
pub fn serialize_urls<S: Serializer>(urls: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&urls.join(","))
}

/// For `deserialize_with`: addresses with commas between, from a text or a list.
///
/// # Errors
/// The deserializer's, if it is neither.
pub fn deserialize_urls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Urls::deserialize(deserializer)? {
        Urls::One(url) => url,
        Urls::Many(urls) => urls.join(","),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_and_a_list_name_the_same_endpoints() {
        for value in [json!("http://a,http://b"), json!(["http://a", "http://b"])] {
            assert_eq!(deserialize_urls(value).unwrap(), "http://a,http://b");
        }
        assert!(deserialize_urls(json!(5)).is_err());
        let urls = ["http://a".to_owned(), "http://b".to_owned()];
        assert_eq!(serialize_urls(&urls, serde_json::value::Serializer).unwrap(), json!("http://a,http://b"));
    }
}

//! A relayer whose key is in AWS KMS: the real client, and a stand-in for KMS that has one of Anvil's keys.
#![cfg(all(unix, feature = "kms"))]
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::hex;
use alloy::signers::k256::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::process::{Command, Output};
use support::Stage;

const KEY: &str = "alias/relayer";

/// What stands before the point in the DER form of a public key on secp256k1 (RFC 5480).
const KEY_HEAD: [u8; 23] = hex!("3056301006072a8648ce3d020106052b8104000a034200");

/// Answers as KMS does, at a URL.
async fn kms(key: SigningKey) -> String {
    let answer = move |headers: HeaderMap, body: String| async move {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert!(text("authorization").starts_with("AWS4-HMAC-SHA256 "), "requests are signed");
        let asked: Value = serde_json::from_str(&body).unwrap();
        if asked["KeyId"] != KEY {
            let error = json!({ "__type": "NotFoundException", "message": "Alias is not found." });
            return (StatusCode::BAD_REQUEST, Json(error));
        }
        let told = match text("x-amz-target").as_str() {
            "TrentService.GetPublicKey" => {
                let point = key.verifying_key().to_encoded_point(false);
                let der = BASE64_STANDARD.encode([&KEY_HEAD, point.as_bytes()].concat());
                json!({ "KeyId": KEY, "PublicKey": der, "KeySpec": "ECC_SECG_P256K1" })
            }
            "TrentService.Sign" => {
                assert_eq!(
                    (&asked["MessageType"], &asked["SigningAlgorithm"]),
                    (&json!("DIGEST"), &json!("ECDSA_SHA_256"))
                );
                let digest = BASE64_STANDARD.decode(asked["Message"].as_str().unwrap()).unwrap();
                let signature: Signature = key.sign_prehash(&digest).unwrap();
                json!({ "KeyId": KEY, "Signature": BASE64_STANDARD.encode(signature.to_der().as_bytes()) })
            }
            other => panic!("{other} is not asked for"),
        };
        (StatusCode::OK, Json(told))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await });
    url
}

fn relayer(stage: &Stage, kms: &str, arguments: &[&str]) -> Output {
    let contract = stage.bed.deployment.market.to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayer"));
    command.args([
        "--rpc-url",
        stage.bed.anvil.url(),
        "--contract",
        &contract,
        "--once",
        "--settle-at-a-loss",
    ]);
    command.args(["--journal", "memory"]).args(arguments).env_remove("PROOPHI_PRIVATE_KEY");
    command.env("AWS_ENDPOINT_URL_KMS", kms).env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_settled_with_a_key_that_only_kms_has() {
    let stage = Stage::new().await;
    stage.close().await;
    let signer = stage.bed.anvil.account(7);
    let url = kms(signer.credential().clone()).await;

    let output = relayer(&stage, &url, &["--kms-key", "alias/another"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(log.contains("alias/another") && log.contains("kms:Sign"), "{log}");
    assert!(!stage.is_settled(&stage.market).await);

    let output = relayer(&stage, &url, &["--kms-key", KEY]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains(&signer.address().to_string()), "{log}");
    assert!(stage.is_settled(&stage.market).await, "{log}");
}

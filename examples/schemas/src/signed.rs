//! Requests that are signed now, for verifiers in other languages.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, danger};
use serde_json::{Value, json};

use crate::fixtures;

/// The secret of the receiver. A test's, so it is no secret.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Signs each example event as it is, and as labhook writes it. Then come requests that a verifier
/// has to refuse, and a genuine one that does not match its type.
pub fn requests(now: Timestamp) -> anyhow::Result<Value> {
    let signer = signer(SECRET)?;
    let mut genuine = Vec::new();
    for file in fixtures()? {
        let name = file.file_stem().and_then(|name| name.to_str()).context("a name")?;
        let text = fs::read_to_string(&file)?;
        genuine.push(signed(name, &signer, MessageId::derive([name]), now, text.trim_end())?);

        let event: LabEvent = danger::unsigned(text.as_bytes()).decode()?;
        let message = event.into_message(MessageId::derive([name, "written"]))?;
        let body = message.rendering("labhook").and_then(|it| it.body()).context("a body")?;
        let body = std::str::from_utf8(body)?;
        genuine.push(signed(name, &signer, message.id().clone(), now, body)?);
    }

    let first = genuine.first().context("an event")?.clone();
    let id = MessageId::derive(["first"]);
    let body = first["body"].as_str().context("a body")?;
    let at = |seconds: i64| {
        let at = Timestamp::from_unix_seconds(now.unix_seconds().saturating_add(seconds));
        signed("outside of the tolerance", &signer, id.clone(), at, body)
    };
    let with = |name: &str, header: &str, value: Value| {
        let mut request = first.clone();
        request["name"] = name.into();
        request["headers"][header] = value;
        request
    };
    let mut other_body = first.clone();
    other_body["name"] = "another body".into();
    other_body["body"] = body.replacen("2021", "2022", 1).into();
    anyhow::ensure!(other_body["body"] != first["body"], "the body is the same");
    let stranger = signer_of_a_stranger()?;
    let other_time = now.unix_seconds().saturating_sub(1).to_string();
    let refused = [
        other_body,
        with("another id", "webhook-id", "other".into()),
        with("another time", "webhook-timestamp", other_time.into()),
        with(
            "another signature",
            "webhook-signature",
            format!("v1,{}", "A".repeat(43) + "=").into(),
        ),
        with("another version", "webhook-signature", "v2,AAAA".into()),
        signed("another secret", &stranger, id.clone(), now, body)?,
        at(-600)?,
        at(600)?,
    ];
    let body = r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00Z","data":{}}"#;
    let unreadable = [signed("no run", &signer, id.clone(), now, body)?];
    Ok(json!({
        "secret": SECRET,
        "genuine": genuine,
        "refused": refused,
        "unreadable": unreadable,
    }))
}

/// Writes the requests to a file.
pub fn write(file: &Path, now: Timestamp) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(file, requests(now)?.to_string())?)
}

fn signer(secret: &str) -> anyhow::Result<Signer> {
    Ok(Signer::standard_webhooks(Secret::from_whsec(secret)?))
}

fn signer_of_a_stranger() -> anyhow::Result<Signer> {
    signer("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
}

fn signed(
    name: &str,
    signer: &Signer,
    id: MessageId,
    now: Timestamp,
    body: &str,
) -> anyhow::Result<Value> {
    let mut headers = serde_json::Map::new();
    for (header, value) in &signer.sign(&id, now, body.as_bytes())? {
        headers.insert(header.to_string(), value.to_str()?.into());
    }
    Ok(json!({ "name": name, "headers": headers, "body": body }))
}

//! Policies in a file: JSON if its name ends so, and TOML otherwise.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use labhook::EndpointPolicy;
use labhook::endpoint::EndpointConfig;
use serde::de::DeserializeOwned;

/// Reads the policy of the file or, if it is a file of endpoints, that of the endpoint.
pub fn load(path: &Path, endpoint: Option<&str>) -> anyhow::Result<EndpointPolicy> {
    let Some(name) = endpoint else { return read(path) };
    let mut endpoints: BTreeMap<String, EndpointConfig> = read(path)?;
    let config = endpoints.remove(name);
    let config = config.with_context(|| format!("{} has no endpoint `{name}`", path.display()))?;
    Ok(config.policy)
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    if path.extension().is_some_and(|it| it == "json") {
        return serde_json::from_str(&text).with_context(|| name.to_string());
    }
    toml::from_str(&text).map_err(|error| {
        // Its `Display` quotes the line, in which a secret may be.
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        anyhow!("{name}: {} at line {line}", error.message())
    })
}

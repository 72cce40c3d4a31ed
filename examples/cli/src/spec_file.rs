//! A signature scheme in a file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use labhook::signature::{CustomScheme, Encoding, SchemeSpec, TimestampForm};
use serde::Deserialize;

/// [`SchemeSpec`] as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    header: String,
    template: String,
    #[serde(default)]
    prefix: String,
    algorithm: Option<String>,
    encoding: Option<String>,
    separator: Option<char>,
    value_separator: Option<char>,
    timestamp_header: Option<String>,
    timestamp_field: Option<String>,
    timestamp_form: Option<String>,
    id_header: Option<String>,
    stronger_prefix: Option<String>,
}

/// Reads and checks the scheme.
pub fn load(path: &Path) -> anyhow::Result<CustomScheme> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let file: SpecFile = if path.extension().is_some_and(|it| it == "json") {
        serde_json::from_str(&text).with_context(|| format!("cannot read {name}"))?
    } else {
        toml::from_str(&text).with_context(|| format!("cannot read {name}"))?
    };
    scheme(&file).with_context(|| format!("{name} describes no scheme"))
}

fn scheme(file: &SpecFile) -> anyhow::Result<CustomScheme> {
    let form = match &file.timestamp_form {
        Some(form) => form.parse()?,
        None => TimestampForm::UnixSeconds,
    };
    let mut spec = SchemeSpec::new(&file.header, &file.template).with_prefix(&file.prefix);
    if let Some(algorithm) = &file.algorithm {
        spec = spec.with_algorithm(algorithm.parse()?);
    }
    if let Some(encoding) = &file.encoding
        && encoding.parse::<Encoding>()? == Encoding::Base64
    {
        spec = spec.with_base64();
    }
    if let Some(separator) = file.separator {
        spec = spec.with_separator(separator);
    }
    if let Some(separator) = file.value_separator {
        spec = spec.with_value_separator(separator);
    }
    match (&file.timestamp_header, &file.timestamp_field) {
        (Some(_), Some(_)) => bail!("`timestamp_header` and `timestamp_field` exclude each other"),
        (Some(name), None) => spec = spec.with_timestamp_header(name, form),
        (None, Some(prefix)) => spec = spec.with_timestamp_field(prefix, form),
        (None, None) => {}
    }
    if let Some(name) = &file.id_header {
        spec = spec.with_id_header(name);
    }
    if let Some(prefix) = &file.stronger_prefix {
        spec = spec.with_stronger_prefix(prefix);
    }
    Ok(CustomScheme::new(spec)?)
}

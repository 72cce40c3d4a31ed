//! Signature schemes by name.

use std::path::Path;

use anyhow::{Context as _, bail};
use http::HeaderName;
use labhook::signature::{CustomScheme, HttpMessageProfile, Scheme};

use crate::spec_file;

macro_rules! vendors {
    ($($name:ident)+) => {
        /// The vendors' schemes, by the name of their constant.
        pub const VENDORS: &[(&str, fn() -> CustomScheme)] =
            &[$((stringify!($name), || CustomScheme::$name)),+];
    };
}

vendors! {
    ASANA BITBUCKET BOX BUILDKITE CAL_COM CALENDLY CIRCLECI CLICKUP COINBASE_COMMERCE CVAT DATASAUR
    DISCORD DOCUSIGN DROPBOX FINTOC FORGEJO GITEA GITHUB GRAFANA HEROKU HUBSPOT JIRA LEMON_SQUEEZY
    LINE LINEAR META MLFLOW MOLLIE MUX NOTION PADDLE PAGERDUTY PUSHER RAZORPAY SENTRY SHOPIFY SLACK
    SENDGRID SQUARE STRIPE TAILSCALE TEAMS TILED TODOIST TWITCH TYPEFORM WEBFLOW WOOCOMMERCE WORKOS XERO
    ZENDESK ZOOM
}

/// The name on the command line of a vendor's constant.
fn spelt(constant: &str) -> String {
    constant.to_ascii_lowercase().replace('_', "-")
}

/// The long help of `--scheme`.
pub fn help() -> String {
    let vendors: Vec<_> = VENDORS.iter().map(|(name, _)| spelt(name)).collect();
    format!(
        "Signature scheme, one of:\n\
         - standard-webhooks, svix, strike, twilio\n\
         - http-message-signatures: RFC 9421 and RFC 9530, in the default profile\n\
         - token:HEADER: the secret itself in this header\n\
         - file:PATH: a TOML or JSON file with `header`, `template` and, if they differ from the \
         defaults, `algorithm` (hmac_sha256, ed25519, ecdsa_p256), `prefix`, `encoding` (hex, \
         base64), `separator`, `value_separator`, \
         `timestamp_header` or `timestamp_field`, `timestamp_form` (unix_seconds, unix_millis, \
         rfc3339), `id_header` and `stronger_prefix`\n\
         - a vendor: {}",
        vendors.join(", ")
    )
}

/// Finds the scheme of this name.
pub fn parse(name: &str) -> anyhow::Result<Scheme> {
    if let Some(header) = name.strip_prefix("token:") {
        let header = HeaderName::try_from(header).context("`token:` must name a header")?;
        return Ok(Scheme::Token(header));
    }
    if let Some(path) = name.strip_prefix("file:") {
        return Ok(Scheme::CustomScheme(spec_file::load(Path::new(path))?));
    }
    match name {
        "standard-webhooks" => return Ok(Scheme::StandardWebhooks),
        "svix" => return Ok(Scheme::Svix),
        "strike" => return Ok(Scheme::Strike),
        "twilio" => return Ok(Scheme::Twilio),
        "http-message-signatures" => {
            return Ok(Scheme::HttpMessageSignatures(HttpMessageProfile::new()));
        }
        _ => {}
    }
    match VENDORS.iter().find(|(constant, _)| spelt(constant) == name) {
        Some((_, scheme)) => Ok(Scheme::CustomScheme(scheme())),
        None => bail!(
            "unknown scheme `{name}`, expected `standard-webhooks`, `svix`, `strike`, `twilio`, \
             `http-message-signatures`, `token:HEADER`, `file:PATH` or a vendor of the list in \
             `--help`"
        ),
    }
}

/// Returns the names of the schemes whose signature header is in the request.
pub fn of_headers(headers: &http::HeaderMap) -> Vec<String> {
    let built_in = [
        ("standard-webhooks", "webhook-signature"),
        ("svix", "svix-signature"),
        ("strike", "x-webhook-signature"),
        ("twilio", "x-twilio-signature"),
        ("http-message-signatures", "signature-input"),
    ];
    let built_in = built_in.iter().filter(|(_, header)| headers.contains_key(*header));
    let vendors = VENDORS.iter().filter(|(_, scheme)| headers.contains_key(scheme().header()));
    let vendors = vendors.map(|(name, _)| spelt(name));
    built_in.map(|(name, _)| (*name).to_owned()).chain(vendors).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_of_the_crate_has_a_name() {
        let source = include_str!("../../../src/signature/vendors.rs");
        let mut constants = Vec::new();
        for line in source.lines() {
            if let Some(rest) = line.trim().strip_prefix("pub const ") {
                constants.extend(rest.split_once(": Self").map(|(name, _)| name));
            }
        }
        let known: Vec<_> = VENDORS.iter().map(|(name, _)| *name).collect();
        assert!(constants.len() > 30);
        let missing: Vec<_> = constants.iter().filter(|name| !known.contains(name)).collect();
        assert!(missing.is_empty(), "not in `vendors!`: {missing:?}");
    }

    #[test]
    fn vendor_is_spelt_with_hyphens() {
        assert!(matches!(parse("lemon-squeezy"), Ok(Scheme::CustomScheme(_))));
        assert!(parse("LEMON_SQUEEZY").is_err() && parse("token:a b").is_err());
    }
}

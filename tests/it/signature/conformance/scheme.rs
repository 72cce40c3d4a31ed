//! Schemes of conformance cases: [`read`].

use http::HeaderName;
use labhook::signature::{
    CustomScheme, HttpMessageProfile, HttpMessageProfileError, Scheme, SchemeSpec, TimestampForm,
};
use serde::Deserialize;

use super::case::{Case, variant_name};

/// Description of a scheme, as [`SchemeSpec`] has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomCase {
    header: String,
    template: String,
    algorithm: Option<String>,
    #[serde(default)]
    prefix: String,
    encoding: String,
    separator: Option<char>,
    value_separator: Option<char>,
    stronger_prefix: Option<String>,
    timestamp_header: Option<String>,
    timestamp_field: Option<String>,
    timestamp_form: Option<String>,
    id_header: Option<String>,
}

impl CustomCase {
    fn read(&self) -> Result<CustomScheme, String> {
        let mut spec = SchemeSpec::new(&self.header, &self.template).with_prefix(&self.prefix);
        if let Some(algorithm) = &self.algorithm {
            spec.algorithm = algorithm.parse().unwrap();
        }
        spec.encoding = self.encoding.parse().unwrap();
        spec.separator = self.separator;
        spec.value_separator = self.value_separator;
        spec.stronger_prefix = self.stronger_prefix.as_deref();
        spec.id_header = self.id_header.as_deref();
        let form = || self.timestamp_form.as_ref().unwrap().parse::<TimestampForm>().unwrap();
        match (&self.timestamp_header, &self.timestamp_field) {
            (Some(name), None) => spec = spec.with_timestamp_header(name, form()),
            (None, Some(prefix)) => spec = spec.with_timestamp_field(prefix, form()),
            (None, None) => assert!(self.timestamp_form.is_none()),
            _ => panic!("two places of the time"),
        }
        CustomScheme::new(spec).map_err(|error| variant_name(&error))
    }
}

/// Settings of an [`HttpMessageProfile`] that are not the default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileCase {
    label: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    key_ids: Vec<String>,
    #[serde(default)]
    headers: Vec<String>,
    id_header: Option<String>,
    #[serde(default)]
    without_id: bool,
    #[serde(default)]
    target_uri: bool,
}

impl ProfileCase {
    fn read(&self) -> Result<HttpMessageProfile, HttpMessageProfileError> {
        let name = |text: &String| HeaderName::from_bytes(text.as_bytes()).unwrap();
        let mut profile = HttpMessageProfile::new();
        if let Some(label) = &self.label {
            profile = profile.with_label(label)?;
        }
        if let Some(tag) = &self.tag {
            profile = profile.with_tag(tag)?;
        }
        if let Some(text) = &self.id_header {
            profile = profile.with_id_header(name(text))?;
        }
        if self.without_id {
            profile = profile.without_id_header();
        }
        if self.target_uri {
            profile = profile.with_target_uri();
        }
        profile
            .with_key_ids(self.key_ids.iter().map(|key_id| &**key_id))?
            .with_headers(self.headers.iter().map(name))
    }
}

/// Returns the scheme of a case, or the name of the error in its description; `None` if its feature
/// is off.
pub(super) fn read(case: &Case) -> Option<Result<Scheme, String>> {
    let name = &*case.scheme;
    let members = [case.header.is_some(), case.custom.is_some(), case.profile.is_some()];
    let own = ["token", "custom", "http-message-signatures"].map(|it| it == name);
    for (is_set, is_own) in members.into_iter().zip(own) {
        assert!(!is_set || is_own, "{}: a member of another scheme", case.name);
    }
    Some(Ok(match name {
        "standard-webhooks" => Scheme::StandardWebhooks,
        "svix" => Scheme::Svix,
        "strike" => Scheme::Strike,
        "token" => Scheme::Token(case.header.as_ref().unwrap().parse().unwrap()),
        "custom" => {
            let scheme = case.custom.as_ref().unwrap().read();
            return Some(scheme.map(Scheme::CustomScheme));
        }
        #[cfg(feature = "twilio")]
        "twilio" => Scheme::Twilio,
        #[cfg(not(feature = "twilio"))]
        "twilio" => return None,
        "http-message-signatures" => {
            let profile = match &case.profile {
                Some(profile) => profile.read().map_err(|error| variant_name(&error)),
                None => Ok(HttpMessageProfile::new()),
            };
            return Some(profile.map(Scheme::HttpMessageSignatures));
        }
        other => panic!("{}: no scheme {other}", case.name),
    }))
}

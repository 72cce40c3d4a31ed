//! Endpoints in a configuration file: [`EndpointConfig`].

use std::collections::BTreeMap;
use std::fmt;

use http::header::{HeaderName, InvalidHeaderName, InvalidHeaderValue};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::Endpoint;
use super::error::EndpointError;
use super::subscription::Subscription;
use crate::delivery::RetryPolicy;
use crate::flow::FlowPolicy;
use crate::health::HealthPolicy;
use crate::id::EndpointId;
use crate::message::format::{CloudEvents, CloudEventsSourceError, SlackMessage};
use crate::policy::{EndpointPolicy, Order};
use crate::policy_file;
use crate::secret::unquoted::{Expecting, reject};
use crate::secret::{SecretRef, SecretRefError, wipe};
use crate::signature::Signer;

/// One endpoint in a configuration file, with everything that an [`Endpoint`] has but its id and
/// its secrets.
///
/// | field | content | default |
/// |---|---|---|
/// | `url` | the URL; a [`SecretRef`] if it is a secret, such as that of a Slack webhook | required |
/// | `signature` | `standard_webhooks`, `svix`, `strike` or `unsigned` | `standard_webhooks` |
/// | `secret` | the key of the signature: see [`SecretRef`] | required, unless unsigned |
/// | `headers` | static headers: for each name its value, or a [`SecretRef`] | none |
/// | `format` | `labhook`, `slack`, or `{ cloudevents_structured = "source" }`, `_binary` or `_batched` | `labhook` |
/// | `subscription` | see [`Subscription`] | all messages |
/// | `retry`, `health`, `flow`, `order` | see [`EndpointPolicy`] | its defaults |
/// | `enabled` | `false` holds deliveries and takes no new messages | `true` |
/// | `plain_http` | `true` allows a URL of scheme `http` | `false` |
///
/// Unknown fields are refused. No error quotes a text or number that was written as the URL, as a
/// header, as the secret or its signature, or instead of the whole table: it may be a secret. Some
/// formats quote the line around an error, such as `toml` in its `Display`; log their message alone.
/// The URL, the headers and the secret are wiped when it is dropped; the text of the file, and what
/// the parser of its format keeps, are yours to wipe.
/// What is not here, such as a signature scheme of your own, is set on
/// the [`Endpoint`].
///
/// ```
/// use std::collections::BTreeMap;
/// use labhook::{EndpointId, Registry};
/// use labhook::endpoint::EndpointConfig;
///
/// let file = r#"{"eln": {
///     "url": "https://eln.example/in",
///     "secret": {"encoding": "whsec", "env": "ELN_SECRET"},
///     "subscription": {"event_types": ["run.*"]},
///     "retry": {"preset": "svix", "window": "2d"},
///     "order": {"scope": "per_key", "skip_after": "10m"}
/// }}"#;
/// let endpoints: BTreeMap<EndpointId, EndpointConfig> = serde_json::from_str(file)?;
///
/// // In an application: `|name| std::env::var(name).ok()`.
/// let env = BTreeMap::from([("ELN_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
/// let mut registry = Registry::new();
/// for (id, config) in endpoints {
///     registry.insert(config.endpoint(id, |name| env.get(name))?)?;
/// }
/// # assert_eq!(registry.iter().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "config")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointConfig {
    /// The retry policy, circuit breaker, flow control and ordering.
    pub policy: EndpointPolicy,
    /// The messages that it receives.
    pub subscription: Subscription,
    /// Whether it is in use.
    pub enabled: bool,
    url: Text,
    signing: Signing,
    headers: BTreeMap<String, Text>,
    format: Format,
    plain_http: bool,
}

/// A signature scheme with its secret.
#[derive(Clone, Debug)]
enum Signing {
    Unsigned,
    StandardWebhooks(SecretRef),
    Svix(SecretRef),
    Strike(SecretRef),
}

/// A text that can be a secret, such as the URL of a Slack webhook.
#[derive(Clone)]
enum Text {
    Plain(Zeroizing<Box<str>>),
    Secret(SecretRef),
}

/// Not derived: serde would keep a copy of the text while it decides, and not wipe it.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a secret with `encoding` and either `env` or `value`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Plain(Zeroizing::new(text.into())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        let secret = SecretRef::deserialize(MapAccessDeserializer::new(map));
        secret
            .map(Text::Secret)
            .map_err(|_| A::Error::custom(format_args!("expected {}", Expecting(&self))))
    }

    reject!(numbers);
}

impl Text {
    fn resolve<T: AsRef<str>>(
        &self,
        lookup: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Zeroizing<Vec<u8>>, SecretRefError> {
        Ok(Zeroizing::new(match self {
            Self::Plain(text) => text.as_bytes().to_vec(),
            Self::Secret(secret) => secret.resolve(lookup)?.expose_bytes().to_vec(),
        }))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str(".."),
            Self::Secret(secret) => fmt::Debug::fmt(secret, f),
        }
    }
}

/// Static headers by name.
#[derive(Default)]
struct Headers(BTreeMap<String, Text>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor).map(Self)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = BTreeMap<String, Text>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of `headers`, with a value for each name")
    }

    reject!(text, numbers);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Signature {
    #[default]
    StandardWebhooks,
    Svix,
    Strike,
    Unsigned,
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SignatureVisitor)
    }
}

/// Quotes nothing, because the field's name suggests that a secret belongs there.
struct SignatureVisitor;

impl Visitor<'_> for SignatureVisitor {
    type Value = Signature;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`signature` as one of `standard_webhooks`, `svix`, `strike`, `unsigned`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Signature, E> {
        match name {
            "standard_webhooks" => Ok(Signature::StandardWebhooks),
            "svix" => Ok(Signature::Svix),
            "strike" => Ok(Signature::Strike),
            "unsigned" => Ok(Signature::Unsigned),
            _ => Err(E::custom(format_args!("expected {}", Expecting(&self)))),
        }
    }

    reject!(numbers);
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Labhook,
    Slack,
    CloudeventsStructured(Box<str>),
    CloudeventsBinary(Box<str>),
    CloudeventsBatched(Box<str>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    url: Text,
    #[serde(default)]
    signature: Signature,
    #[serde(default)]
    secret: Option<SecretRef>,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    format: Format,
    #[serde(default, deserialize_with = "policy_file::table")]
    subscription: Subscription,
    #[serde(default)]
    retry: RetryPolicy,
    #[serde(default)]
    health: HealthPolicy,
    #[serde(default)]
    flow: FlowPolicy,
    #[serde(default)]
    order: Order,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    plain_http: bool,
}

const fn yes() -> bool {
    true
}

impl TryFrom<Form> for EndpointConfig {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Self, &'static str> {
        let signing = match (form.signature, form.secret) {
            (Signature::Unsigned, None) => Signing::Unsigned,
            (Signature::Unsigned, Some(_)) => return Err("an unsigned endpoint has no `secret`"),
            (_, None) => return Err("a signed endpoint needs a `secret`"),
            (Signature::StandardWebhooks, Some(secret)) => Signing::StandardWebhooks(secret),
            (Signature::Svix, Some(secret)) => Signing::Svix(secret),
            (Signature::Strike, Some(secret)) => Signing::Strike(secret),
        };
        Ok(Self {
            policy: EndpointPolicy {
                retry: form.retry,
                health: form.health,
                flow: form.flow,
                order: form.order,
            },
            subscription: form.subscription,
            enabled: form.enabled,
            url: form.url,
            signing,
            headers: form.headers.0,
            format: form.format,
            plain_http: form.plain_http,
        })
    }
}

impl<'de> Deserialize<'de> for EndpointConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = EndpointConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint table with a `url`")
    }

    reject!(text, numbers);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EndpointConfig, A::Error> {
        policy_file::read_table::<Form, _, _>(MapAccessDeserializer::new(map))
    }
}

impl EndpointConfig {
    /// Creates the endpoint with this id.
    ///
    /// `lookup` receives the name of each secret in the file and returns its text, or `None` if it
    /// is not set: see [`SecretRef::resolve`].
    ///
    /// # Errors
    ///
    /// [`EndpointConfigError`], which contains no part of the URL or of a secret.
    pub fn endpoint<T: AsRef<str>>(
        &self,
        id: EndpointId,
        mut lookup: impl FnMut(&str) -> Option<T>,
    ) -> Result<Endpoint, EndpointConfigError> {
        let signer = match &self.signing {
            Signing::Unsigned => Signer::unsigned(),
            Signing::StandardWebhooks(secret) => {
                Signer::standard_webhooks(secret.resolve(&mut lookup)?)
            }
            Signing::Svix(secret) => Signer::svix(secret.resolve(&mut lookup)?),
            Signing::Strike(secret) => Signer::strike(secret.resolve(&mut lookup)?),
        };
        let url = self.url.resolve(&mut lookup)?;
        let url = std::str::from_utf8(&url).unwrap_or_default();
        let mut endpoint = if self.plain_http {
            Endpoint::plain_http(id, url, signer)?
        } else {
            Endpoint::new(id, url, signer)?
        };
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str())?;
            let value = wipe::header_value(&value.resolve(&mut lookup)?)?;
            endpoint = endpoint.add_header(name, &value)?;
        }
        endpoint = match &self.format {
            Format::Labhook => endpoint,
            Format::Slack => endpoint.with_format(SlackMessage::new()),
            Format::CloudeventsStructured(source) => {
                endpoint.with_format(CloudEvents::structured(source)?)
            }
            Format::CloudeventsBinary(source) => endpoint.with_format(CloudEvents::binary(source)?),
            Format::CloudeventsBatched(source) => {
                endpoint.with_format(CloudEvents::batched(source)?)
            }
        };
        Ok(endpoint
            .with_policy(self.policy.clone())
            .with_subscription(self.subscription.clone())
            .with_enabled(self.enabled))
    }
}

/// Error of [`EndpointConfig::endpoint`]. It contains no part of the URL or of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointConfigError {
    /// A secret cannot be resolved.
    #[error(transparent)]
    Secret(#[from] SecretRefError),
    /// The URL or a header is refused.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A static header has no valid name.
    #[error("name of a static header is malformed")]
    HeaderName(#[from] InvalidHeaderName),
    /// The value of a static header is malformed.
    #[error("value of a static header is malformed")]
    HeaderValue(#[from] InvalidHeaderValue),
    /// The source of a CloudEvents format is refused.
    #[error(transparent)]
    Source(#[from] CloudEventsSourceError),
}

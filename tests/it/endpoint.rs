//! Endpoints: URLs, requests, subscriptions and the registry.

mod registry;
mod request;
mod subscription;
mod url;

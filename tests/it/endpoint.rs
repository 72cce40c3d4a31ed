//! Endpoints: URLs, requests, subscriptions and the registry.

mod config;
mod registry;
mod request;
mod subscription;
mod url;

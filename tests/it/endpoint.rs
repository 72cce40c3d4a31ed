//! Endpoints: URLs, requests, subscriptions and the registry.

mod address_files;
mod address_urls;
mod addresses;
mod config;
mod registry;
mod request;
mod subscription;
mod url;

//! The operators page.
pub async fn serve(
    _listener: tokio::net::TcpListener,
    _url: String,
    _token: String,
) -> anyhow::Result<()> {
    std::future::pending().await
}

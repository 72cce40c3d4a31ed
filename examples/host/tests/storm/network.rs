//! A network between the senders and Postgres that fails on demand: [`Network`].

use std::env;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use host::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// The server gets the requests, and its replies wait.
    Deaf,
    /// Every connection ends at once.
    Cut,
}

/// Passes TCP connections on to the server's Unix socket.
pub struct Network {
    /// What a client connects to.
    pub url: String,
    state: watch::Sender<State>,
}

impl Network {
    /// Starts it. `None` if the server is the one of `DATABASE_URL`.
    pub async fn to(server: &Server) -> anyhow::Result<Option<Self>> {
        if env::var_os("DATABASE_URL").is_some() {
            return Ok(None);
        }
        let host = server.url.split(' ').find_map(|it| it.strip_prefix("host="));
        let host = host.context("the server's URL has a host")?;
        let socket = PathBuf::from(host).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let url = server.url.replacen(host, &format!("127.0.0.1 port={port}"), 1);
        let (state, watch) = watch::channel(State::Whole);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (socket, state) = (socket.clone(), watch.clone());
                tokio::spawn(async move { pass_on(client, socket, state).await });
            }
        });
        Ok(Some(Self { url, state }))
    }

    pub fn hold_replies(&self) {
        self.state.send_replace(State::Deaf);
    }

    /// Ends all connections, new ones too.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub fn heal(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: PathBuf,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut server = UnixStream::connect(server).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut cut = state.clone();
    let replies = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from_server.read(&mut buffer).await?;
            if count == 0 || state.wait_for(|it| *it != State::Deaf).await.is_err() {
                return io::Result::Ok(());
            }
            to_client.write_all(&buffer[..count]).await?;
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => Ok(()),
        ended = replies => ended,
        _ = cut.wait_for(|it| *it == State::Cut) => Ok(()),
    }
}

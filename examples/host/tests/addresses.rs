//! The client's address policy, against real sockets that must receive nothing.

#![allow(clippy::disallowed_methods, reason = "a test reads the environment")]

mod support;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use host::http::{Http, check_readable};
use host::{Client as _, SystemClock};
use labhook::endpoint::AddressPolicy;
use labhook::{Failure, Outcome};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::attempt;

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

/// A server that counts connections and requests.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(address: impl Into<IpAddr>, response: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((address.into(), 0)).await?;
        let server = Self {
            address: listener.local_addr()?,
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        let requests = Arc::clone(&server.requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                // The whole request arrives at once, as small as it is.
                if stream.read(&mut [0; 4096]).await.is_ok_and(|length| length > 0) {
                    requests.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(response.as_bytes()).await;
                }
            }
        });
        Ok(server)
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns how many connections there were, before one of its own.
    async fn connections(&self) -> anyhow::Result<usize> {
        let mut own = TcpStream::connect(self.address).await?;
        own.shutdown().await?;
        // The server takes connections in order, and has taken this one when it closes it.
        let _ = own.read(&mut [0]).await;
        Ok(self.connections.fetch_sub(1, Ordering::SeqCst) - 1)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A resolver that gives these answers in turn, whatever the name is.
#[derive(Clone)]
struct Answers(Arc<Mutex<VecDeque<Vec<IpAddr>>>>);

impl Answers {
    fn new(answers: &[&[[u8; 4]]]) -> Self {
        let answers = answers.iter().map(|it| it.iter().copied().map(IpAddr::from).collect());
        Self(Arc::new(Mutex::new(answers.collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().expect("nothing panics").len()
    }
}

impl Resolve for Answers {
    fn resolve(&self, _: Name) -> Resolving {
        let answer = self.0.lock().expect("nothing panics").pop_front();
        Box::pin(async move {
            let answer = answer.ok_or("no answer is left")?;
            Ok(Box::new(answer.into_iter().map(|it| SocketAddr::new(it, 0))) as Addrs)
        })
    }
}

async fn outcome(http: &Http, url: &str) -> anyhow::Result<Outcome> {
    Ok(http.send(&attempt(url)?, &SystemClock).await)
}

fn refused() -> Outcome {
    Outcome::failed(Failure::Connect)
}

fn is_accepted(outcome: &Outcome) -> bool {
    outcome.status().is_some_and(|it| it.is_success())
}

/// A policy that allows one address of loopback, which stands for the public internet here.
fn one_address() -> anyhow::Result<AddressPolicy> {
    Ok(AddressPolicy::public().allow_network("127.0.0.1".parse()?))
}

#[tokio::test]
async fn loopback_receives_nothing_unless_allowed() -> anyhow::Result<()> {
    let server = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    let port = server.port();
    let public = Http::new(AddressPolicy::public());
    // Linux connects to 0.0.0.0 and :: as to loopback.
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "eln.localhost",
        "[::ffff:127.0.0.1]",
        "[::]",
        "[::1]",
    ] {
        let outcome = outcome(&public, &format!("http://{host}:{port}/hooks")).await?;
        assert_eq!(outcome, refused(), "{host}");
    }
    assert_eq!((server.connections().await?, server.requests()), (0, 0));

    let loopback = Http::new(AddressPolicy::public().allow_loopback());
    for (index, host) in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"].into_iter().enumerate() {
        let outcome = outcome(&loopback, &format!("http://{host}:{port}/hooks")).await?;
        assert!(is_accepted(&outcome), "{host}: {outcome:?}");
        assert_eq!(server.requests(), index + 1, "{host}");
    }
    Ok(())
}

#[tokio::test]
async fn url_that_the_client_cannot_read_is_refused() -> anyhow::Result<()> {
    // Invalid Punycode, which only a client that decodes names finds.
    let url = "http://xn--a.example/hooks";
    let public = AddressPolicy::public();
    assert!(public.check_url(url).is_ok());
    let error = check_readable(url).expect_err("it has invalid Punycode");
    assert_eq!(error.to_string(), "the HTTP client cannot read the URL");
    check_readable("http://xn--fiqs8s.example/hooks")?;
    let http = Http::new(public);
    // Making the client reads certificates, which may take all the time of the first attempt.
    let _ = outcome(&http, url).await?;
    assert_eq!(outcome(&http, url).await?, refused());
    Ok(())
}

#[tokio::test]
async fn name_of_loopback_receives_nothing_unless_allowed() -> anyhow::Result<()> {
    let server = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    let url = format!("http://eln.example:{}/hooks", server.port());
    let answers = Answers::new(&[&[[127, 0, 0, 1]]]);
    let http = Http::with_resolver(AddressPolicy::public(), answers.clone());
    assert_eq!(outcome(&http, &url).await?, refused());
    assert_eq!((server.connections().await?, server.requests(), answers.left()), (0, 0, 0));

    let allowed = AddressPolicy::public().allow_host("eln.example".parse()?);
    let http = Http::with_resolver(allowed, Answers::new(&[&[[127, 0, 0, 1]]]));
    assert!(is_accepted(&outcome(&http, &url).await?));
    assert_eq!(server.requests(), 1);
    Ok(())
}

#[tokio::test]
async fn mixed_dns_answer_is_refused_as_a_whole() -> anyhow::Result<()> {
    let allowed = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    let url = format!("http://eln.example:{}/hooks", allowed.port());
    let (public, private) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    for answer in [[public, private], [private, public]] {
        let http = Http::with_resolver(one_address()?, Answers::new(&[&answer]));
        assert_eq!(outcome(&http, &url).await?, refused());
    }
    assert_eq!((allowed.connections().await?, allowed.requests()), (0, 0));
    let http = Http::with_resolver(one_address()?, Answers::new(&[&[public, public]]));
    assert!(is_accepted(&outcome(&http, &url).await?));
    Ok(())
}

#[tokio::test]
async fn rebound_name_reaches_only_what_was_checked() -> anyhow::Result<()> {
    let first = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    // The same port at another address.
    let second = TcpListener::bind(("127.0.0.2", first.port())).await?;
    let url = format!("http://eln.example:{}/hooks", first.port());
    let answers = Answers::new(&[&[[127, 0, 0, 1]], &[[127, 0, 0, 2]]]);
    let http = Http::with_resolver(one_address()?, answers.clone());
    // One answer is used, and no more is asked for between the check and the connection.
    assert!(is_accepted(&outcome(&http, &url).await?));
    assert_eq!((first.requests(), answers.left()), (1, 1));
    assert_eq!(outcome(&http, &url).await?, refused());
    assert_eq!((first.requests(), answers.left()), (1, 0));
    let own = TcpStream::connect(second.local_addr()?).await?;
    assert_eq!(second.accept().await?.1, own.local_addr()?, "the first connection is the test's");
    Ok(())
}

#[tokio::test]
async fn redirect_into_the_network_is_not_followed() -> anyhow::Result<()> {
    let inside = Server::start([127, 0, 0, 2], NO_CONTENT.to_owned()).await?;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: http://{}/hooks", inside.address);
        let close = "content-length: 0\r\nconnection: close";
        let response = format!("HTTP/1.1 {status}\r\n{location}\r\n{close}\r\n\r\n");
        let outside = Server::start([127, 0, 0, 1], response).await?;
        let http = Http::new(one_address()?);
        let outcome = outcome(&http, &format!("http://{}/hooks", outside.address)).await?;
        let found = outcome.status().map(|it| it.as_u16());
        assert_eq!(found, status.split(' ').next().and_then(|it| it.parse().ok()));
        assert_eq!(outside.requests(), 1);
    }
    assert_eq!((inside.connections().await?, inside.requests()), (0, 0));
    Ok(())
}

/// The URL of the receiver, for the process that the next test starts.
const RECEIVER: &str = "LABHOOK_TEST_RECEIVER";

#[tokio::test]
async fn proxy_of_the_environment_is_not_used() -> anyhow::Result<()> {
    if let Ok(url) = std::env::var(RECEIVER) {
        assert!(is_accepted(&outcome(&Http::new(one_address()?), &url).await?));
        return Ok(());
    }
    let receiver = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    let proxy = Server::start([127, 0, 0, 1], NO_CONTENT.to_owned()).await?;
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--exact", "proxy_of_the_environment_is_not_used"]);
    child.env(RECEIVER, format!("http://{}/hooks", receiver.address));
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, format!("http://{}", proxy.address));
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY");
    let child = tokio::task::spawn_blocking(move || child.output()).await??;
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!((receiver.requests(), proxy.connections().await?), (1, 0));
    Ok(())
}

#[test]
fn client_reads_no_other_address_than_was_checked() {
    // reqwest parses URLs as browsers do, and labhook as RFC 3986 says.
    let public = AddressPolicy::public();
    let parts = ["127", "0x7f", "0177", "10", "0", "1", "eln", "256", "0x", "08"];
    let mut hosts: Vec<String> = parts.map(str::to_owned).to_vec();
    let mut all = hosts.clone();
    for _ in 0..3 {
        let longer = hosts.iter().flat_map(|host| parts.map(|part| format!("{host}.{part}")));
        hosts = longer.collect();
        all.extend_from_slice(&hosts);
    }
    let with_root: Vec<_> = all.iter().map(|host| format!("{host}.")).collect();
    let (mut accepted, mut refused) = (0, 0);
    for host in all.into_iter().chain(with_root) {
        let url = format!("http://{host}/hooks");
        let Ok(read) = url.parse::<reqwest::Url>() else { continue };
        let read = read.host_str().and_then(|host| host.parse::<IpAddr>().ok());
        let is_refused = read.is_some_and(|address| public.check_address(address).is_err());
        match public.check_url(&url) {
            Ok(()) if is_refused => panic!("{host} is read as {read:?}"),
            Ok(()) => accepted += 1,
            Err(_) if is_refused => refused += 1,
            Err(_) => {}
        }
    }
    assert!(accepted > 100 && refused > 1_000, "{accepted} {refused}");
}

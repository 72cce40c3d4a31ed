//! The operators' page over HTTP: who is let in, what is shown, and what never is.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use fleet::command::EndpointStatus;
use fleet::database;
use host::{Clock as _, SystemClock};
use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use support::{Receiver, Site, TOKEN};
use tokio::net::TcpListener;

/// An endpoint and a message whose ids are meant to break a page.
const HOSTILE: &str = "<script>alert(1)</script>/../?&#\"'%2e";
const HOSTILE_MESSAGE: &str = "<img src=x onerror=alert(1)> / ' \" %3C";

/// All pages, for this endpoint and this message.
fn pages(endpoint: &str, message: &str) -> Vec<String> {
    vec![
        "/".to_owned(),
        format!("/endpoints/{endpoint}"),
        format!("/endpoints/{endpoint}/replay"),
        format!("/endpoints/{endpoint}/replay?pace=10"),
        format!("/endpoints/{endpoint}/secret/AAAA"),
        "/deliveries".to_owned(),
        format!("/deliveries?endpoint={endpoint}&state=pending"),
        format!("/deliveries?message={message}"),
        format!("/deliveries/{endpoint}/{message}"),
        "/workers".to_owned(),
    ]
}

fn encoded(id: &str) -> String {
    id.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A browser, as far as it matters here.
struct Browser {
    client: Client,
    page: String,
    cookie: String,
}

impl Browser {
    fn new(site: &Site) -> anyhow::Result<Self> {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client, page: site.page.clone(), cookie: String::new() })
    }

    async fn logged_in(site: &Site) -> anyhow::Result<Self> {
        let mut browser = Self::new(site)?;
        let response = browser.post("/login", "operator=ada&token=".to_owned() + TOKEN);
        let response = response.send().await?;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[SET_COOKIE].to_str()?;
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        browser.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(browser)
    }

    fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.page)).header(COOKIE, &self.cookie)
    }

    fn post(&self, path: &str, form: String) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.page));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header(COOKIE, &self.cookie).header(ORIGIN, &self.page).body(form)
    }

    async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let response = self.request(path).send().await?;
        Ok((response.status(), response.text().await?))
    }

    async fn csrf(&self) -> anyhow::Result<String> {
        let (_, text) = self.get("/workers").await?;
        let value = text.split("name=\"csrf\" value=\"").nth(1).and_then(|it| it.split('"').next());
        Ok(value.expect("each page has a form to log out").to_owned())
    }

    /// Sends a form of this session.
    async fn act(&self, path: &str, fields: &str) -> anyhow::Result<Response> {
        let form = format!("csrf={}&{fields}", self.csrf().await?);
        Ok(self.post(path, form).send().await?)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_without_session_shows_nothing() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    site.add_endpoint("eln", "127.0.0.1:9".parse()?).await?;
    let browser = Browser::new(&site)?;
    let mut paths = pages("eln", "m1");
    paths.extend(["/nothing", "/static/page.js", "/endpoints/eln/do/pause"].map(str::to_owned));
    for path in paths {
        for request in [browser.request(&path), browser.post(&path, String::new())] {
            for cookie in ["", "fleet_session=", "fleet_session=AAAA", "other=1; fleet_session=x"] {
                let request = request.try_clone().expect("no stream").header(COOKIE, cookie);
                let response = request.send().await?;
                assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
                assert_eq!(response.headers()[LOCATION], "/login");
                assert_eq!(response.headers()["cache-control"], "no-store");
                assert_eq!(response.text().await?, "");
            }
        }
    }
    for path in ["/login", "/static/style.css"] {
        let response = browser.request(path).send().await?;
        assert_eq!(response.status(), StatusCode::OK);
        let policy = response.headers()["content-security-policy"].to_str()?;
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        assert!(!response.text().await?.contains("eln"));
    }
    for form in ["operator=ada&token=wrong", "operator=ada", "token=", "operator=%0A&token=x"] {
        let response = browser.post("/login", form.to_owned()).send().await?;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().get(SET_COOKIE).is_none());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_of_another_site_is_refused() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    site.add_endpoint("eln", "127.0.0.1:9".parse()?).await?;
    let (browser, other) = (Browser::logged_in(&site).await?, Browser::logged_in(&site).await?);
    let csrf = browser.csrf().await?;
    let good = format!("csrf={csrf}");
    let foreign = format!("csrf={}", other.csrf().await?);
    let pause = "/endpoints/eln/do/pause";
    for form in [String::new(), "csrf=".to_owned(), format!("{good}A"), foreign] {
        let response = browser.post(pause, form).send().await?;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    let site_of = |it| browser.post(pause, good.clone()).header("sec-fetch-site", it);
    let origin_of = |origin: &str| {
        let request = browser.client.post(format!("{}{pause}", site.page)).body(good.clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header(COOKIE, &browser.cookie);
        if origin.is_empty() { request } else { request.header(ORIGIN, origin) }
    };
    for request in [
        site_of("cross-site"),
        site_of("same-site"),
        site_of("none"),
        origin_of(""),
        origin_of("null"),
        origin_of("http://localhost:1"),
        origin_of("https://example.com"),
        origin_of("https://example.com").header("sec-fetch-site", "same-origin"),
    ] {
        assert_eq!(request.send().await?.status(), StatusCode::FORBIDDEN);
    }
    let database = database::connect(&site.url).await?;
    let count: i64 = database
        .query_one("SELECT count(*) FROM command WHERE operator <> 'trigger'", &[])
        .await?
        .get(0);
    assert_eq!(count, 0, "none of them has asked for anything");

    // The same form passes, also with the `Origin: null` of a page without referrer.
    for request in
        [site_of("same-origin"), origin_of("null").header("sec-fetch-site", "same-origin")]
    {
        assert_eq!(request.send().await?.status(), StatusCode::SEE_OTHER);
    }
    assert!(browser.get("/").await?.1.contains("No worker answered within 5 s: the command waits"));

    assert_eq!(browser.post("/logout", good).send().await?.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/").await?.0, StatusCode::SEE_OTHER, "the session is over");
    assert_eq!(other.get("/").await?.0, StatusCode::OK, "and no other one");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_that_is_not_loopback_is_refused() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    let browser = Browser::logged_in(&site).await?;
    for host in ["example.com", "localhost.example.com", "127.0.0.1.example.com:80", "10.0.0.1", ""]
    {
        for path in ["/", "/login", "/static/style.css"] {
            let response = browser.request(path).header(HOST, host).send().await?;
            assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
    }
    for host in ["localhost", "localhost:8080", "127.0.0.1", "[::1]", "[::1]:8080"] {
        let response = browser.request("/").header(HOST, host).send().await?;
        assert_eq!(response.status(), StatusCode::OK, "{host}");
    }
    let everywhere = TcpListener::bind("0.0.0.0:0").await?;
    let refused = fleet::page::serve(everywhere, site.url.clone(), TOKEN.to_owned()).await;
    assert!(refused.is_err_and(|it| it.to_string().contains("must listen on loopback")));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let refused = fleet::page::serve(listener, site.url.clone(), "short".to_owned()).await;
    assert!(refused.is_err_and(|it| it.to_string().contains("at least 22 characters")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_ids_are_escaped_and_found() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    let receiver = Receiver::start("127.0.0.1:0".parse()?, Duration::ZERO)?;
    for (id, message) in [(HOSTILE, HOSTILE_MESSAGE), ("..", ".."), ("~.", "~.")] {
        site.add_endpoint(id, receiver.address).await?;
        site.publish(id, &[message]).await?;
    }
    site.start_worker();
    site.wait_for("SELECT count(*) = 3 FROM notice WHERE notice LIKE '%delivered%'").await?;
    site.wait_for("SELECT count(*) = 3 FROM status").await?;
    let browser = Browser::logged_in(&site).await?;

    let refuse = "
        INSERT INTO intake (shard, key, message, refused) VALUES (0, '0/' || $1, '', $1)";
    let database = database::connect(&site.url).await?;
    database.execute(refuse, &[&HOSTILE]).await?;
    let reason = format!("reason={}", encoded(HOSTILE));
    let disable = format!("/endpoints/{}/do/disable", encoded(HOSTILE));
    assert_eq!(browser.act(&disable, &reason).await?.status(), StatusCode::SEE_OTHER);
    site.wait_for("SELECT bool_or(status LIKE '%\"disabled\":{%') FROM status").await?;

    let mut seen = String::new();
    for path in pages(&encoded(HOSTILE), &encoded(HOSTILE_MESSAGE)) {
        let (status, text) = browser.get(&path).await?;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        assert!(!text.contains("<script>") && !text.contains("<img"), "{path}: {text}");
        assert!(
            !text.contains("style=") && !text.contains(" onclick"),
            "{path}: not by the policy"
        );
        assert!(!text.contains("whsec_") && !text.contains("hook-with-a-key"), "{path}: {text}");
        seen.push_str(&text);
    }
    assert!(seen.contains("Reason: “&#60;script&#62;"), "the reason is shown");
    assert!(seen.contains("<span class=\"id\">&#60;script&#62;"), "the refused message is shown");

    // Every link of every page leads to a page.
    let mut links: Vec<_> = seen.split("href=\"/").skip(1).collect();
    links.iter_mut().for_each(|it| *it = it.split('"').next().unwrap_or_default());
    links.sort_unstable();
    links.dedup();
    assert!(links.iter().any(|it| it.starts_with("endpoints/~..")), "{links:?}");
    assert!(links.iter().any(|it| it.ends_with("/~..")), "{links:?}");
    assert!(links.len() > 12, "{links:?}");
    for link in links {
        let link = link.replace("&#38;", "&");
        let (status, text) = browser.get(&format!("/{link}")).await?;
        assert_eq!(status, StatusCode::OK, "{link}: {text}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secret_is_shown_once_and_nowhere_else() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    let receiver = Receiver::start("127.0.0.1:0".parse()?, Duration::ZERO)?;
    site.add_endpoint("eln", receiver.address).await?;
    site.start_worker();
    site.publish("eln", &["m1"]).await?;
    site.wait_for("SELECT count(*) = 1 FROM notice WHERE notice LIKE '%delivered%'").await?;
    let (browser, other) = (Browser::logged_in(&site).await?, Browser::logged_in(&site).await?);
    let response = browser.act("/endpoints/eln/do/rotate", "").await?;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let once = response.headers()[LOCATION].to_str()?.to_owned();
    assert!(!once.contains("whsec_"));
    assert!(other.get(&once).await?.1.contains("This secret was shown"), "of another session");
    let (_, shown) = browser.get(&once).await?;
    assert_eq!(shown.matches("whsec_").count(), 1);
    assert!(browser.get(&once).await?.1.contains("This secret was shown"));
    for path in pages("eln", "m1").iter().chain([&once]) {
        let (status, text) = browser.get(path).await?;
        assert_eq!(status, StatusCode::OK);
        assert!(!text.contains("whsec_") && !text.contains("hook-with-a-key"), "{path}");
    }
    assert!(browser.get("/endpoints/eln").await?.1.contains("2 signing secrets"));
    assert_eq!(browser.act("/endpoints/eln/do/retire", "").await?.status(), StatusCode::SEE_OTHER);
    let (_, text) = browser.get("/endpoints/eln").await?;
    assert!(text.contains("1 signing secret<") && text.contains("the newest secret only"));
    assert!(text.contains("<strong>ada</strong>: reload → done"), "it is known who did it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_status_and_sender_outage_are_told() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    let status = EndpointStatus {
        unusable: None,
        state: "down".to_owned(),
        since: Some(SystemClock.now()),
        paused_since: Some(SystemClock.now()),
        disabled: None,
        pending: 12_345,
        due: 3,
        in_flight: 2,
        oldest_pending: Some(SystemClock.now() - Duration::from_secs(300)),
        concurrency_limit: Some(8),
        spacing_us: Some(83_000),
        delivered_per_second: 7,
        counters: BTreeMap::new(),
        sender_outage: true,
    };
    let status = serde_json::to_string(&status)?;
    let database = database::connect(&site.url).await?;
    for (id, age) in [("new", 0), ("old", 12)] {
        site.add_endpoint(id, "127.0.0.1:9".parse()?).await?;
        let insert = "INSERT INTO status
            VALUES ($1, clock_timestamp() - $2::int * interval '1 s', $3)";
        database.execute(insert, &[&id, &age, &status]).await?;
    }
    let hold = "UPDATE shard SET owner = 'w', expires_at = clock_timestamp() + interval '1 min'";
    database.execute(hold, &[]).await?;
    let browser = Browser::logged_in(&site).await?;
    let (_, text) = browser.get("/").await?;
    assert_eq!(text.matches("last seen 12 s ago").count(), 1);
    assert_eq!(text.matches("suspects our own network").count(), 1, "only what is fresh counts");
    for part in [">24,690<", ">12,345<", ">12/s<", ">5 min<", "2<small> of 8", ">paused</span>"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    database.execute("UPDATE shard SET expires_at = '-infinity'", &[]).await?;
    let (_, text) = browser.get("/").await?;
    assert_eq!(text.matches(">no worker</span>").count(), 2);
    let (_, text) = browser.get("/endpoints/old").await?;
    for part in ["Paused", "Down", "No worker holds shard", "their deliveries are safe"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_input_is_told_in_a_page() -> anyhow::Result<()> {
    let Some(site) = Site::start().await? else { return Ok(()) };
    site.add_endpoint("eln", "127.0.0.1:9".parse()?).await?;
    let browser = Browser::logged_in(&site).await?;
    for (path, expected) in [
        ("/nothing", StatusCode::NOT_FOUND),
        ("/endpoints/other", StatusCode::NOT_FOUND),
        ("/endpoints/%20", StatusCode::NOT_FOUND),
        ("/endpoints/%FF", StatusCode::BAD_REQUEST),
        ("/endpoints/other/replay", StatusCode::NOT_FOUND),
        ("/endpoints/eln/replay?pace=fast", StatusCode::BAD_REQUEST),
        ("/endpoints/eln/replay?pace=-1", StatusCode::BAD_REQUEST),
        ("/endpoints/eln/replay?pace=1&message=m%0Am", StatusCode::BAD_REQUEST),
        ("/endpoints/eln/do/pause", StatusCode::METHOD_NOT_ALLOWED),
        ("/deliveries?state=lost", StatusCode::BAD_REQUEST),
        ("/deliveries?endpoint=%20a%20b", StatusCode::BAD_REQUEST),
        ("/deliveries/eln/%0A", StatusCode::NOT_FOUND),
        ("/deliveries/other/m1", StatusCode::NOT_FOUND),
    ] {
        let (status, text) = browser.get(path).await?;
        assert_eq!(status, expected, "{path}");
        assert!(text.starts_with("<!doctype html>") && text.contains("<h1>"), "{path}: {text}");
    }
    for (path, fields, expected) in [
        ("/endpoints/eln/do/explode", "", StatusCode::NOT_FOUND),
        ("/endpoints/eln/do/replay", "", StatusCode::BAD_REQUEST),
        ("/endpoints/eln/do/replay", "expected=1", StatusCode::BAD_REQUEST),
        ("/endpoints/eln/do/replay", "expected=many&before=0", StatusCode::BAD_REQUEST),
        ("/workers/unpark", "shard=first", StatusCode::BAD_REQUEST),
        ("/workers/unpark", "", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(browser.act(path, fields).await?.status(), expected, "{path} {fields}");
    }
    let large = browser.act("/workers/unpark", &"x".repeat(20 * 1024)).await?;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let (_, text) = browser.get("/endpoints/eln").await?;
    assert!(text.contains("No worker holds shard"), "nobody holds it");
    let database = database::connect(&site.url).await?;
    database.execute("UPDATE shard SET parked = 'cannot read it'", &[]).await?;
    assert!(browser.get("/").await?.1.contains(">parked</span>"));
    assert!(browser.get("/workers").await?.1.contains("cannot read it"));
    assert_eq!(browser.act("/workers/unpark", "shard=1").await?.status(), StatusCode::SEE_OTHER);
    assert!(browser.get("/workers").await?.1.contains("Shard 1 can be taken again."));
    Ok(())
}

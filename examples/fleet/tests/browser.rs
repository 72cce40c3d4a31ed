//! What an operator does, in a browser: a receiver goes down and comes back, dead letters are
//! replayed, and a secret is rotated.
//!
//! It needs Chromium and `chromedriver`, as the Debian packages `chromium` and `chromium-driver`
//! have them, and is skipped without. With `FLEET_SCREENSHOTS` set it renews `screenshots/`.

// An application may read the clock and the environment; only the library must not.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod support;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, ensure};
use fantoccini::{Client, ClientBuilder, Locator};
use fleet::database;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use support::{Receiver, Site, TOKEN};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long something may take to appear: an outage, a poll of the page, and a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Browser {
    client: Client,
    screenshots: PathBuf,
    _driver: Child,
    _directory: TempDir,
}

impl Browser {
    /// Starts Chromium, with an empty profile. `None`, with a line that says so, if it is missing.
    async fn start() -> anyhow::Result<Option<Self>> {
        let directory = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut driver = Command::new("chromedriver");
        driver.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = match driver.kill_on_drop(true).spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("skipped: no chromedriver on this machine");
                return Ok(None);
            }
            driver => driver?,
        };
        let profile = format!("--user-data-dir={}", directory.path().join("profile").display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            &profile,
        ];
        let capabilities = serde_json::json!({"goog:chromeOptions": {"args": arguments}});
        let serde_json::Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let up = timeout(PATIENCE, async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        });
        up.await.context("chromedriver does not answer")?;
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await?;
        let screenshots = match env::var_os("FLEET_SCREENSHOTS") {
            Some(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots"),
            None => directory.path().to_owned(),
        };
        Ok(Some(Self { client, screenshots, _driver: driver, _directory: directory }))
    }

    async fn goto(&self, url: &str) -> anyhow::Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Waits until a part of the page contains a text. The page updates itself.
    async fn see(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let script =
            "return document.querySelector(arguments[0])?.innerText.includes(arguments[1])";
        let arguments = [selector, text].map(|it| it.into());
        let seen = timeout(PATIENCE, async {
            while self.client.execute(script, arguments.to_vec()).await? != true {
                sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        });
        match seen.await {
            Ok(seen) => seen,
            Err(_) => {
                let page = self.client.execute("return document.body.innerText", vec![]).await?;
                anyhow::bail!("`{text}` does not appear in {selector}: {page}")
            }
        }
    }

    async fn fill(&self, id: &str, text: &str) -> anyhow::Result<()> {
        Ok(self.client.find(Locator::Id(id)).await?.send_keys(text).await?)
    }

    /// Clicks a button or a link by the start of its text. The page updates itself, which may take
    /// it from under the pointer: then once more.
    async fn click(&self, text: &str) -> anyhow::Result<()> {
        let path = format!("//main//*[(self::a or self::button) and starts-with(., '{text}')]");
        for _ in 0..5 {
            let found = self.client.find(Locator::XPath(&path)).await?;
            match found.click().await {
                Err(error) if error.is_stale_element_reference() => {}
                clicked => return Ok(clicked?),
            }
        }
        anyhow::bail!("cannot click {text}")
    }

    async fn dom(&self) -> anyhow::Result<String> {
        let dom = self.client.execute("return document.documentElement.outerHTML", vec![]).await?;
        Ok(dom.as_str().context("it is text")?.to_owned())
    }

    /// Takes a picture, light on a desk or dark on a phone.
    async fn picture(&self, name: &str, width: u32, height: u32, dark: bool) -> anyhow::Result<()> {
        self.fits(width, height, dark).await?;
        fs::create_dir_all(&self.screenshots)?;
        fs::write(self.screenshots.join(name), self.client.screenshot().await?)?;
        Ok(())
    }

    /// Checks that nothing has to be scrolled sideways.
    async fn fits(&self, width: u32, height: u32, dark: bool) -> anyhow::Result<()> {
        self.emulate(width, height, dark).await?;
        sleep(Duration::from_millis(200)).await;
        let wide = self.client.execute("return document.documentElement.scrollWidth", vec![]);
        let wide = wide.await?.as_u64();
        ensure!(wide.is_some_and(|it| it <= width.into()), "it is {wide:?} wide, not {width}");
        Ok(())
    }

    async fn emulate(&self, width: u32, height: u32, dark: bool) -> anyhow::Result<()> {
        let scheme = if dark { "dark" } else { "light" };
        let features = serde_json::json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let media = serde_json::json!({"features": features});
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        let metrics = serde_json::json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await
    }

    async fn devtools(&self, method: &str, parameters: serde_json::Value) -> anyhow::Result<()> {
        let command = Devtools { method: method.to_owned(), parameters };
        self.client.issue_cmd(command).await?;
        Ok(())
    }
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Devtools {
    method: String,
    parameters: serde_json::Value,
}

impl fantoccini::wd::WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = serde_json::json!({"cmd": self.method, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_sees_outage_replays_and_rotates() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let Some(site) = Site::start().await? else { return Ok(()) };
    let done = walk(&site, &browser).await;
    browser.client.clone().close().await?;
    done
}

async fn walk(site: &Site, browser: &Browser) -> anyhow::Result<()> {
    let any = "127.0.0.1:0".parse()?;
    let (receiver, other) = (
        Receiver::start(any, Duration::from_millis(8))?,
        Receiver::start(any, Duration::from_millis(35))?,
    );
    let address = receiver.address;
    site.add_endpoint("eln-archive", address).await?;
    for id in ["eln", "lims", "plate-reader", "scheduler", "slack"] {
        site.add_endpoint(id, other.address).await?;
    }
    site.start_worker();
    for number in 0..20 {
        publish(site, "eln-archive", number..number + 1).await?;
        sleep(Duration::from_millis(80)).await;
    }

    browser.goto(&site.page).await?;
    browser.fill("operator", "ada").await?;
    browser.fill("token", TOKEN).await?;
    browser.click("Log in").await?;
    browser.see("h1", "Endpoints").await?;
    browser.see("#summary", "healthy\n6").await?;

    drop(receiver);
    publish(site, "eln-archive", 20..32).await?;
    browser.see("#endpoints", "down").await?;
    browser.see("#summary", "down\n1").await?;
    browser.click("eln-archive").await?;
    browser.see("#status", "Down: its circuit breaker opened").await?;
    let dead = "
        SELECT count(DISTINCT message) >= 2 FROM notice
        WHERE notice LIKE '%\"verdict\":\"exhausted\"%'";
    site.wait_for(dead).await?;
    let receiver = Receiver::start(address, Duration::from_millis(8))?;
    browser.see("#status", "healthy").await?;
    browser.see("#timeline .log", "Recovered.").await?;
    browser.see("#deliveries", "exhausted").await?;

    // The same history, a hundred times as slow: a picture of minutes, not of seconds.
    let slower = "UPDATE notice SET at = clock_timestamp() - 100 * (clock_timestamp() - at)";
    database::connect(&site.url).await?.batch_execute(slower).await?;
    browser.see("#timeline .log", "min ago").await?;
    for (name, width, height, dark) in
        [("endpoint-light.png", 1_120, 1_000, false), ("endpoint-dark.png", 390, 1_200, true)]
    {
        browser.picture(name, width, height, dark).await?;
    }
    browser.emulate(1_120, 1_000, false).await?;

    browser.click("Replay dead letters").await?;
    browser.see("h1", "Replay").await?;
    browser.click("Preview").await?;
    browser.see("#plan", "deliver").await?;
    browser.see("#plan .ids", "eln-archive/").await?;
    browser.click("Replay th").await?;
    browser.see(".flash", "replayed.").await?;
    browser.see("#asked", "ada: replay → replayed").await?;
    site.wait_for(
        "SELECT count(*) >= 2 FROM notice
         WHERE notice LIKE '%\"cause\":\"replay\"%\"verdict\":\"delivered\"%'",
    )
    .await?;
    browser.see("#deliveries", "delivered").await?;

    browser.click("Rotate secret").await?;
    browser.see("h1", "New secret").await?;
    let secret = browser.client.find(Locator::Id("secret")).await?.text().await?;
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    browser.client.refresh().await?;
    browser.see("main", "This secret was shown").await?;
    let clean = |dom: String| !dom.contains(&secret) && !dom.contains("whsec_");
    assert!(clean(browser.dom().await?));
    browser.click("Back to the endpoint").await?;
    browser.see("#status", "2 signing secrets").await?;
    assert!(clean(browser.dom().await?));
    browser.client.back().await?;
    browser.see("main", "This secret was shown").await?;

    browser.goto(&format!("{}/endpoints/eln-archive", site.page)).await?;
    browser.click("Pause").await?;
    browser.see("#status", "Paused by an operator").await?;
    browser.click("Resume").await?;
    browser.see(".flash", "Resumed.").await?;
    browser
        .client
        .find(Locator::XPath("//summary[starts-with(., 'Disable')]"))
        .await?
        .click()
        .await?;
    browser.fill("reason", "the archive moves").await?;
    browser.click("Disable this endpoint").await?;
    browser.see("#status", "Disabled by an operator").await?;
    browser.see("#status", "Reason: “the archive moves”").await?;
    browser.see("#asked", "ada: disable, “the archive moves” → done").await?;
    browser.click("Enable").await?;
    browser.see("#status", "healthy").await?;

    // What was published since is signed with both secrets.
    site.publish("eln-archive", &["eln-archive/last"]).await?;
    browser.goto(&format!("{}/deliveries/eln-archive/eln-archive%2Flast", site.page)).await?;
    browser.see("#facts", "delivered").await?;
    browser.see("#attempts", "204").await?;

    drop(receiver);
    publish(site, "eln-archive", 100..120).await?;
    browser.goto(&format!("{}/endpoints/slack", site.page)).await?;
    browser.click("Pause").await?;
    browser.see("#status", "Paused by an operator").await?;
    publish(site, "slack", 0..3).await?;
    browser.goto(&site.page).await?;
    browser.see("#summary", "down\n1").await?;
    for round in 0..15 {
        for (id, count) in [("eln", 12), ("lims", 3), ("scheduler", 7)] {
            publish(site, id, round * count..(round + 1) * count).await?;
        }
        sleep(Duration::from_millis(150)).await;
    }
    browser.see("#summary", "paused\n1").await?;
    for (name, width, height, dark) in
        [("endpoints-light.png", 1_120, 640, false), ("endpoints-dark.png", 390, 1_000, true)]
    {
        browser.picture(name, width, height, dark).await?;
    }
    for path in [
        "/login",
        "/deliveries",
        "/deliveries/eln-archive/eln-archive%2Flast",
        "/endpoints/eln-archive",
        "/endpoints/eln-archive/replay?pace=100",
        "/endpoints/eln-archive/secret/none",
        "/workers",
        "/nothing",
    ] {
        browser.goto(&format!("{}{path}", site.page)).await?;
        browser.fits(360, 800, true).await.context(path)?;
        browser.fits(1_120, 800, false).await.context(path)?;
    }
    Ok(())
}

/// Publishes messages with numbers for an endpoint.
async fn publish(site: &Site, endpoint: &str, numbers: Range<u32>) -> anyhow::Result<()> {
    let ids: Vec<_> = numbers.map(|it| format!("{endpoint}/{it}")).collect();
    site.publish(endpoint, &ids.iter().map(|it| &**it).collect::<Vec<_>>()).await
}

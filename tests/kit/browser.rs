//! A real browser without a screen: headless Chromium driven through chromedriver.
//!
//! What a person would notice is asserted for every page it shows: axe-core finds no barrier, and nothing broke the
//! Content Security Policy.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// axe-core 4.14.1 (Deque Systems, MPL-2.0), used by tests only.
const AXE: &str = include_str!("../vendor/axe.min.js");

const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// How long anything is waited for: only what never comes fails, however busy the machine is.
const LONGEST: Duration = Duration::from_mins(2);

/// One person's browser window. Closed, with its processes, when dropped.
pub struct Browser {
    /// WebDriver itself, for what no helper covers.
    pub client: Client,
    base: String,
    /// The addresses of the pages that were looked at.
    looked_at: Mutex<HashSet<String>>,
    driver: Driver,
}

/// How a window is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    pub dark: bool,
    /// 375 px wide, as a telephone is.
    pub narrow: bool,
}

impl Browser {
    /// Opens a window on the server at `base`; `None` when there is no chromedriver, which `./check` does not forgive.
    pub async fn open(base: &str, look: Look) -> Option<Self> {
        let mut driver = Driver::start()?;
        let profile = tempfile::Builder::new().prefix("fundloop-chrome-").tempdir().expect("a temporary folder");
        let mut args: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        args.push("--window-size=1280,900".to_owned());
        if look.dark {
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut chrome = json!({ "args": args });
        if let Some(binary) = chromium() {
            chrome["binary"] = json!(binary);
        }
        if look.narrow {
            // A headless window does not get narrower than 500 px; an emulated telephone does.
            chrome["mobileEmulation"] = json!({ "deviceMetrics": { "width": 375, "height": 800, "pixelRatio": 2.0 } });
        }
        let mut wanted = serde_json::Map::new();
        wanted.insert("goog:chromeOptions".to_owned(), chrome);
        wanted.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        // WebDriver gives a script half a minute by itself; looking a long page over takes longer on a busy machine.
        wanted.insert("timeouts".to_owned(), json!({ "script": LONGEST.as_millis(), "pageLoad": LONGEST.as_millis() }));
        let address = format!("http://127.0.0.1:{}", driver.port);
        let connected = ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&address).await;
        let client = connected.unwrap_or_else(|e| panic!("chromedriver opens no window: {e}"));
        driver.session = client.session_id().await.expect("a session has an id");
        driver.profile = Some(profile);
        Some(Self { client, base: base.to_owned(), looked_at: Mutex::default(), driver })
    }

    /// Opens a path of the server and waits until the page is there.
    pub async fn goto(&self, path: &str) -> &Self {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap_or_else(|e| panic!("goto {path}: {e}"));
        self
    }

    /// Looks at the same page another way, as turning a telephone or the evening does.
    pub async fn look(&self, look: Look) -> &Self {
        let (width, height, scale) = if look.narrow { (375, 800, 2) } else { (1280, 900, 1) };
        let scheme = if look.dark { "dark" } else { "light" };
        self.chrome(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": look.narrow }),
        )
        .await;
        self.chrome("Emulation.setTouchEmulationEnabled", json!({ "enabled": look.narrow })).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.chrome("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        self
    }

    /// Goes on as the person who is signed in with these cookies.
    pub async fn become_visitor(&self, visitor: &crate::http::Visitor) -> &Self {
        self.chrome("Network.clearBrowserCookies", json!({})).await;
        for (name, value) in visitor.cookies() {
            self.chrome("Network.setCookie", json!({ "name": name, "value": value, "url": self.base })).await;
        }
        self
    }

    /// A command of the developer tools protocol.
    async fn chrome(&self, command: &str, params: Value) -> Value {
        let asked = Chrome { endpoint: "goog/cdp/execute", body: json!({ "cmd": command, "params": params }) };
        self.client.issue_cmd(asked).await.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Types into the field of that name, replacing what was there. Of a file input the value is the file's path; a day
    /// is picked as the calendar does, since how it is typed depends on the machine's language.
    pub async fn fill(&self, name: &str, value: &str) -> &Self {
        let selector = format!("[name='{name}']");
        let field = self.find(&selector).await;
        let tag = field.tag_name().await.expect("a tag name");
        let kind = field.attr("type").await.expect("attributes").unwrap_or_default();
        let done = match (tag.as_str(), kind.as_str()) {
            ("select", _) => field.select_by_value(value).await,
            (_, "file") => field.send_keys(value).await,
            (_, "date") => {
                let pick = "const field = document.querySelector(arguments[0]); field.value = arguments[1];
                    field.dispatchEvent(new Event('change', { bubbles: true }))";
                self.script(pick, vec![json!(selector), json!(value)]).await;
                Ok(())
            }
            _ => match field.clear().await {
                Ok(()) => field.send_keys(value).await,
                Err(error) => Err(error),
            },
        };
        done.unwrap_or_else(|e| panic!("fill {name} with {value}: {e}"));
        self
    }

    /// Ticks the box, or picks the choice, of that name and value.
    pub async fn tick(&self, name: &str, value: &str) -> &Self {
        self.click(&format!("[name='{name}'][value='{value}']")).await
    }

    /// Presses the button or follows the link, and waits until the page it leads to is there.
    pub async fn go_on(&self, words: &str) -> &Self {
        self.script("window.isTheOldPage = true", vec![]).await;
        self.press(words).await;
        let begun = Instant::now();
        let arrived = "return !window.isTheOldPage && document.readyState === 'complete'";
        // While one page gives way to the next there may be no document to ask.
        while self.client.execute(arrived, vec![]).await.ok() != Some(json!(true)) {
            assert!(begun.elapsed() < LONGEST, "{words:?} leads nowhere:\n{}", self.text().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self
    }

    /// Clicks what this CSS selector finds first.
    pub async fn click(&self, selector: &str) -> &Self {
        self.find(selector).await.click().await.unwrap_or_else(|e| panic!("click {selector}: {e}"));
        self
    }

    /// Presses the button, or follows the link, with exactly these words.
    pub async fn press(&self, words: &str) -> &Self {
        let quoted = words.replace('"', "");
        // An amount and its currency are held together by a space that does not break.
        let says = format!("normalize-space(translate(., '\u{a0}', ' '))=\"{quoted}\"");
        let path = format!("//button[{says}] | //a[{says}] | //input[@type='submit' and @value=\"{quoted}\"]");
        let found = self.client.wait().at_most(LONGEST).for_element(Locator::XPath(&path)).await;
        let button = match found {
            Ok(button) => button,
            Err(e) => panic!("no button or link {words:?} ({e}) on:\n{}", self.text().await),
        };
        button.click().await.unwrap_or_else(|e| panic!("press {words:?}: {e}"));
        self
    }

    /// Sends a key to whatever has the focus: `'\u{E004}'` is Tab, `'\u{E007}'` Enter.
    pub async fn key(&self, key: char) -> &Self {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client.perform_actions(keys).await.unwrap_or_else(|e| panic!("key {key:?}: {e}"));
        self
    }

    /// Waits for the first element of that CSS selector.
    pub async fn find(&self, selector: &str) -> Element {
        let wait = self.client.wait().at_most(LONGEST);
        match wait.for_element(Locator::Css(selector)).await {
            Ok(element) => element,
            Err(e) => panic!("no {selector} ({e}) on:\n{}", self.text().await),
        }
    }

    /// The words a person can see.
    pub async fn text(&self) -> String {
        let text = self.script("return document.body ? document.body.innerText : ''", vec![]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until another page is shown than that of this path. A click is answered before the page behind it is there.
    pub async fn has_left(&self, path: &str) -> bool {
        let begun = Instant::now();
        while self.path().await == path {
            if begun.elapsed() > LONGEST {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    }

    /// The path of the page shown.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("a current address");
        url.path().to_owned()
    }

    pub async fn assert_says(&self, words: &str) -> &Self {
        let text = self.text().await;
        let single = crate::html::squeeze(&text);
        assert!(single.contains(words), "{} does not say {words:?}:\n{text}", self.path().await);
        self
    }

    /// Saves a picture of the page into `FUNDLOOP_SCREENSHOTS`, when that names a folder.
    pub async fn screenshot(&self, name: &str) -> &Self {
        if let Some(folder) = std::env::var_os("FUNDLOOP_SCREENSHOTS").map(PathBuf::from) {
            let picture = self.client.screenshot().await.expect("a screenshot");
            std::fs::create_dir_all(&folder).expect("the folder for screenshots");
            std::fs::write(folder.join(format!("{name}.png")), picture).expect("a screenshot can be written");
        }
        self
    }

    /// Nothing a person could trip over is on this page.
    pub async fn assert_sound(&self) -> &Self {
        let problems = self.problems().await;
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        self
    }

    /// Everything a person could trip over on this page: barriers, what the browser complains of, sideways scrolling.
    pub async fn problems(&self) -> Vec<String> {
        let mut problems = self.complaints().await;
        problems.extend(self.axe().await);
        problems.extend(self.sideways().await);
        let at = self.path().await;
        problems.into_iter().map(|line| format!("{at}: {line}")).collect()
    }

    /// What axe-core (WCAG 2.2 A and AA, best practices) finds, a line a place: rule, impact, element, help.
    pub async fn axe(&self) -> Vec<String> {
        self.ask_axe(json!({ "resultTypes": ["violations"] })).await
    }

    /// The same for contrast alone, which is what changes with the light.
    pub async fn contrast(&self) -> Vec<String> {
        let rules = json!({ "type": "rule", "values": ["color-contrast", "link-in-text-block"] });
        self.ask_axe(json!({ "resultTypes": ["violations"], "runOnly": rules })).await
    }

    async fn ask_axe(&self, options: Value) -> Vec<String> {
        if self.script("return typeof window.axe", vec![]).await != json!("object") {
            self.script(AXE, vec![]).await;
        }
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, arguments[0])
               .then(r => done(r.violations.flatMap(v => v.nodes.map(n =>
                   `${v.id} (${v.impact}): ${n.target.join(' ')} - ${v.help}: ${n.failureSummary}`))))
               .catch(e => done(['axe did not run: ' + e]));";
        let found = self.client.execute_async(run, vec![options]).await.unwrap_or_else(|e| panic!("axe-core: {e}"));
        lines(&found)
    }

    /// By how much the page is wider than the window, if it is.
    pub async fn sideways(&self) -> Option<String> {
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        let wider = self.script(wider, vec![]).await.as_i64().unwrap_or(0);
        (wider > 0).then(|| format!("scrolls sideways by {wider} px"))
    }

    /// What the browser refused since the last question because the page's policy forbids it.
    pub async fn policy_violations(&self) -> Vec<String> {
        let said = self.complaints().await;
        said.into_iter().filter(|m| m.contains("Content Security Policy") || m.contains("CSP")).collect()
    }

    /// What the console holds against the pages since the last question: refused by policy, not found, thrown. That
    /// a page itself answers 404 or 422 is not held against it, also where the console says so late.
    pub async fn complaints(&self) -> Vec<String> {
        let asked = Chrome { endpoint: "se/log", body: json!({ "type": "browser" }) };
        let log = self.client.issue_cmd(asked).await.unwrap_or_else(|e| panic!("the browser's log: {e}"));
        let entries = log.as_array().cloned().unwrap_or_default();
        let bad = entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["source"] == "security");
        let here = self.client.current_url().await.expect("a current address");
        let mut pages = self.looked_at.lock().expect("nobody panics with it");
        pages.insert(here.to_string());
        let own_status = |words: &&str| words.split_once(" - Failed to load").is_some_and(|(at, _)| pages.contains(at));
        let words = bad.filter_map(|entry| entry["message"].as_str()).filter(|words| !own_status(words));
        words.map(|words| format!("console: {words}")).collect()
    }

    /// Runs JavaScript as the body of a function. WebDriver's own scripts are not subject to the page's policy.
    pub async fn script(&self, body: &str, args: Vec<Value>) -> Value {
        self.client.execute(body, args).await.unwrap_or_else(|e| panic!("script: {e}"))
    }

    /// The port chromedriver listens on.
    pub fn driver_port(&self) -> u16 {
        self.driver.port
    }
}

fn lines(found: &Value) -> Vec<String> {
    found.as_array().into_iter().flatten().map(|v| v.as_str().unwrap_or_default().to_owned()).collect()
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A command of chromedriver's own: the console's log, which is emptied as it answers, and the developer tools protocol.
#[derive(Debug)]
struct Chrome {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Chrome {
    fn endpoint(
        &self,
        base_url: &reqwest::Url,
        session_id: Option<&str>,
    ) -> Result<reqwest::Url, <reqwest::Url as std::str::FromStr>::Err> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.endpoint))
    }

    fn method_and_body(&self, _request_url: &reqwest::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}

/// The chromedriver process, on a port it chose itself.
struct Driver {
    process: Child,
    port: u16,
    session: Option<String>,
    profile: Option<tempfile::TempDir>,
}

impl Driver {
    fn start() -> Option<Self> {
        let Some(program) = on_path("chromedriver") else {
            crate::note_or_fail("browser test skipped: chromedriver is not installed (./check installs it)");
            return None;
        };
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, after) = line.split_once("started successfully on port ")?;
            after.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("chromedriver says which port it took");
        // Read on, so that a full pipe never stops it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Self { process, port, session: None, profile: None })
    }

    /// Ends the session in plain HTTP: a destructor cannot wait for a future, and chromedriver, when only killed,
    /// leaves its Chromium behind.
    fn end_session(&self) -> std::io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Best effort, each on its own: the test's own result is what matters now.
        drop(self.end_session());
        drop(self.process.kill());
        drop(self.process.wait());
        drop(self.profile.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "<!doctype html><html lang=en><title>Fund</title>
        <meta name=viewport content=width=device-width><main><h1>Fund</h1>
        <form method=get action=/next><label>Amount <input name=amount></label> <button>Ask</button></form></main></html>";
    const BROKEN: &str = "<!doctype html><html><title>Fund</title><main><h1>Fund</h1><p style='color:red'>x</p>
        <input name=amount><script>document.title = 'run'</script></main></html>";

    async fn seen(browser: &Browser) -> Value {
        let script = "return [window.innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]";
        browser.script(script, vec![]).await
    }

    /// Serves two pages under a strict policy until the test process ends.
    fn serve() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = String::new();
                BufReader::new(&stream).read_line(&mut request).expect("a request line");
                let body = if request.starts_with("GET /broken") { BROKEN } else { SOUND };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\
                            Content-Security-Policy: default-src 'self'\r\n";
                write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).expect("an answer");
            }
        });
        format!("http://{address}")
    }

    #[test]
    fn a_sound_page_passes_and_a_broken_one_is_told_in_full() {
        crate::runtime().block_on(async {
            let Some(browser) = Browser::open(&serve(), Look::default()).await else {
                return;
            };
            browser.goto("/").await.assert_sound().await;
            browser.fill("amount", "100").await.press("Ask").await;
            assert!(browser.has_left("/").await, "the form is sent");
            assert_eq!(browser.path().await, "/next");

            browser.goto("/broken").await;
            let refused = browser.policy_violations().await;
            assert!(refused.len() >= 2, "the inline style and script are both refused: {refused:?}");
            assert_ne!(browser.client.title().await.expect("a title"), "run");
            let barriers = browser.axe().await.join("\n");
            assert!(barriers.contains("html-has-lang") && barriers.contains("label"), "{barriers}");
        });
    }

    #[test]
    fn a_telephone_is_narrow_and_the_dark_is_dark() {
        crate::runtime().block_on(async {
            let look = Look { dark: true, narrow: true };
            let Some(browser) = Browser::open(&serve(), look).await else {
                return;
            };
            browser.goto("/").await;
            assert_eq!(seen(&browser).await, json!([375, true]));
            browser.look(Look::default()).await;
            assert_eq!(seen(&browser).await, json!([1280, false]));
            browser.look(look).await;
            assert_eq!(seen(&browser).await, json!([375, true]));
        });
    }
}

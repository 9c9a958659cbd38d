//! A person with a browser, minus the browser: cookies are kept, redirects after a post are followed, forms carry what
//! was hidden in them. Tests act through it, so that they know no more of the program than people do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::multipart::{Form as Multipart, Part};
use reqwest::{Client, Method, Response, Url};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::html::{self, Button, Form, Token};

/// One person's browser on one server. Cloning shares the cookies: two tabs of one person.
#[derive(Clone)]
pub struct Visitor {
    base: String,
    client: Client,
    cookies: Arc<Jar>,
}

/// What came back, read once.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path the page was served from, after redirects.
    pub path: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    tokens: Vec<Token>,
}

impl Visitor {
    /// Someone not signed in. `base` is the server's address without a trailing slash.
    pub fn new(base: &str) -> Self {
        let cookies = Arc::new(Jar::default());
        let client = Client::builder()
            .cookie_provider(cookies.clone())
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Fundloop test visitor")
            .timeout(Duration::from_mins(1))
            .no_proxy()
            .build()
            .expect("a client without TLS always builds");
        Self { base: base.to_owned(), client, cookies }
    }

    /// Opens a page as a person does: redirects are followed.
    pub async fn open(&self, path: &str) -> Page {
        let page = self.get(path).await;
        self.follow_redirects(page).await
    }

    /// One GET, redirects shown and not followed.
    pub async fn get(&self, path: &str) -> Page {
        self.request(Method::GET, path, |r| r.header("Sec-Fetch-Site", "same-origin")).await
    }

    /// One request of any kind, for what no page offers; the closure adds headers and a body.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Page {
        let url = self.url(path);
        let sent = with(self.client.request(method.clone(), &url)).send().await;
        let response = sent.unwrap_or_else(|e| panic!("{method} {url}: {e:?}"));
        let page = Page::read(&self.base, response).await;
        page.assert_guarded();
        page
    }

    /// Fills the form that has this button and presses it; the page after the redirect comes back.
    pub async fn press(&self, page: &Page, button: &str, values: &[(&str, &str)]) -> Page {
        let mut form = page.form(button);
        form.fill_all(values);
        self.submit(page, &form, button).await
    }

    /// Presses a button of a form already filled; the page after the redirect comes back.
    pub async fn submit(&self, page: &Page, form: &Form, button: &str) -> Page {
        let answer = self.post(page, form, button).await;
        self.follow_redirects(answer).await
    }

    /// Presses a button and shows the bare answer: the status and where it sends the person.
    pub async fn post(&self, page: &Page, form: &Form, button: &str) -> Page {
        let button = form.button(button).unwrap_or_else(|| {
            let known: Vec<&str> = form.buttons.iter().map(|b| b.text.as_str()).collect();
            panic!("no button {button:?} in the form to {}; it has {known:?}", form.action)
        });
        let target = target(page, form, button);
        let pairs = form.pairs(Some(button));
        if form.method == "get" {
            let path = target.split('?').next().unwrap_or_default();
            return self.get(&format!("{path}?{}", url_encoded(&pairs))).await;
        }
        let referer = self.url(&page.path);
        let as_browser = |r: reqwest::RequestBuilder| {
            r.header("Origin", &self.base).header("Referer", referer).header("Sec-Fetch-Site", "same-origin")
        };
        if form.multipart {
            let body = multipart(form, pairs);
            return self.request(Method::POST, &target, |r| as_browser(r).multipart(body)).await;
        }
        self.request(Method::POST, &target, |r| as_browser(r).form(&pairs)).await
    }

    /// Presses a button and pulls the plug: the whole request is sent, the connection is reset once `until` is over, and
    /// nobody reads the answer. Not for forms with files.
    pub async fn post_and_hang_up(&self, page: &Page, form: &Form, button: &str, until: impl Future<Output = ()>) {
        let pressed =
            form.button(button).unwrap_or_else(|| panic!("no button {button:?} in the form to {}", form.action));
        let path = target(page, form, pressed);
        let body = url_encoded(&form.pairs(Some(pressed)));
        let url = Url::parse(&self.url(&path)).expect("a path of the server");
        let host = self.base.trim_start_matches("http://");
        let cookies = self.cookies.cookies(&url);
        let cookies = cookies.as_ref().and_then(|c| c.to_str().ok()).unwrap_or("");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookies}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.base,
            body.len()
        );
        let mut stream = TcpStream::connect(host).await.expect("the server takes connections");
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        until.await;
        stream.set_zero_linger().expect("the connection can be reset");
    }

    /// Clicks the link with these words.
    pub async fn click(&self, page: &Page, words: &str) -> Page {
        self.open(&page.link(words)).await
    }

    /// Makes an API token on the profile page: "read", "write" or both.
    pub async fn make_token(&self, scopes: &[&str]) -> String {
        let page = self.open("/profile").await;
        let mut form = page.form("Make the token");
        form.fill_all(&[("token_name", "Reporting"), ("days", "30")]);
        for scope in scopes {
            form.fill("scopes", scope);
        }
        let made = self.submit(&page, &form, "Make the token").await;
        made.assert_status(201);
        let text = made.text();
        let token = text.split_whitespace().find(|word| word.starts_with("fundloop_"));
        token.expect("the token is shown once").to_owned()
    }

    /// The server's address with that path; an absolute address is taken as it is.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    /// The path of an address, if it is one of this server's.
    pub fn here(&self, address: &str) -> Option<String> {
        let path = address.strip_prefix(&self.base).unwrap_or(address);
        path.starts_with('/').then(|| path.to_owned())
    }

    /// The cookies kept so far, for a real browser to go on with.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let url = Url::parse(&self.base).expect("the server's address");
        let header = self.cookies.cookies(&url);
        let header = header.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("");
        header.split("; ").filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    async fn follow_redirects(&self, mut page: Page) -> Page {
        for _ in 0..8 {
            let Some(to) = page.redirect() else { return page };
            page = self.get(&to).await;
        }
        panic!("more than eight redirects, last at {}", page.path)
    }
}

fn url_encoded(pairs: &[(String, String)]) -> String {
    let mut url = Url::parse("http://x/").expect("a constant");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or("").to_owned()
}

fn target(page: &Page, form: &Form, button: &Button) -> String {
    let action = if button.action.is_empty() { &form.action } else { &button.action };
    match action.as_str() {
        "" => page.path.clone(),
        path if path.starts_with('/') || path.starts_with("http") => path.to_owned(),
        relative => {
            let folder = page.path.split('?').next().and_then(|p| p.rsplit_once('/')).map_or("", |(f, _)| f);
            format!("{folder}/{relative}")
        }
    }
}

fn multipart(form: &Form, pairs: Vec<(String, String)>) -> Multipart {
    let mut body = pairs.into_iter().fold(Multipart::new(), |body, (name, value)| body.text(name, value));
    for file in &form.files {
        let part = Part::bytes(file.bytes.clone())
            .file_name(file.filename.clone())
            .mime_str(&file.content_type)
            .expect("a test names a valid content type");
        body = body.part(file.field.clone(), part);
    }
    for empty in form.fields.iter().filter(|f| f.kind == html::Kind::File) {
        if !form.files.iter().any(|a| a.field == empty.name) {
            // A browser posts an empty, nameless file for an input nobody touched.
            let part = Part::bytes(Vec::new()).file_name("").mime_str("application/octet-stream").expect("fixed");
            body = body.part(empty.name.clone(), part);
        }
    }
    body
}

impl Page {
    async fn read(base: &str, response: Response) -> Self {
        let url = response.url().to_string();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.unwrap_or_else(|e| panic!("the body of {url}: {e:?}")).to_vec();
        let is_html =
            headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("text/html"));
        let tokens = if is_html { html::tokens(&String::from_utf8_lossy(&body)) } else { Vec::new() };
        let path = url.strip_prefix(base).unwrap_or(&url).to_owned();
        Self { path, status, headers, body, tokens }
    }

    /// The words of the page as a person reads them, white space made single.
    pub fn text(&self) -> String {
        html::text(&self.tokens)
    }

    /// The body as text, whatever its kind.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{} is not JSON ({e}): {}", self.path, self.raw()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// Where the answer sends the browser, as a path on this server, when it does.
    pub fn redirect(&self) -> Option<String> {
        if !(300..400).contains(&self.status) || self.status == 304 {
            return None;
        }
        self.headers.get(LOCATION).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned)
    }

    pub fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Every address a browser would load or could follow from here.
    pub fn addresses(&self) -> Vec<String> {
        let attrs = self.tokens.iter().filter_map(|token| match token {
            Token::Open { attrs, .. } => Some(attrs),
            _ => None,
        });
        let leads = |(key, _): &&(String, String)| matches!(key.as_str(), "href" | "src");
        attrs.flatten().filter(leads).map(|(_, to)| to.clone()).collect()
    }

    /// The ids of the page's elements.
    pub fn ids(&self) -> BTreeSet<String> {
        let attrs = self.tokens.iter().filter_map(|token| match token {
            Token::Open { attrs, .. } => Some(attrs),
            _ => None,
        });
        attrs.flatten().filter(|(key, _)| key == "id").map(|(_, id)| id.clone()).collect()
    }

    pub fn forms(&self) -> Vec<Form> {
        html::forms(&self.tokens)
    }

    /// The form that has a button with these words; panics with the buttons the page does have.
    pub fn form(&self, button: &str) -> Form {
        let forms = self.forms();
        let buttons: Vec<String> = forms.iter().flat_map(|f| &f.buttons).map(|b| b.text.clone()).collect();
        forms.into_iter().find(|f| f.button(button).is_some()).unwrap_or_else(|| {
            panic!("no button {button:?} on {} ({}); it has {buttons:?}\n{}", self.path, self.status, self.text())
        })
    }

    /// The first form that posts to this address.
    pub fn form_to(&self, action: &str) -> Form {
        let forms = self.forms();
        let actions: Vec<String> = forms.iter().map(|f| f.action.clone()).collect();
        forms
            .into_iter()
            .find(|f| f.action == action)
            .unwrap_or_else(|| panic!("no form to {action:?} on {}; it has {actions:?}", self.path))
    }

    pub fn has_button(&self, text: &str) -> bool {
        self.forms().iter().any(|f| f.button(text).is_some())
    }

    /// Every link: its words and its address.
    pub fn links(&self) -> Vec<(String, String)> {
        html::elements(&self.tokens, "a")
            .into_iter()
            .filter_map(|(attrs, words)| Some((words, attrs.into_iter().find(|(k, _)| k == "href")?.1)))
            .collect()
    }

    /// The address of the link with exactly these words, else of the first that contains them.
    pub fn link(&self, words: &str) -> String {
        let links = self.links();
        let exact = links.iter().find(|(text, _)| text == words);
        let (_, href) = exact
            .or_else(|| links.iter().find(|(text, _)| text.contains(words)))
            .unwrap_or_else(|| panic!("no link {words:?} on {}; it has {links:?}", self.path));
        href.clone()
    }

    /// The words of each element of that name, such as `h1` or `td`.
    pub fn words_of(&self, element: &str) -> Vec<String> {
        html::elements(&self.tokens, element).into_iter().map(|(_, words)| words).collect()
    }

    /// Fails with the page's words when the status is another.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}: {}", self.path, self.text_or_raw());
        self
    }

    #[track_caller]
    pub fn assert_says(&self, words: &str) -> &Self {
        let text = self.text_or_raw();
        assert!(text.contains(&html::squeeze(words)), "{} does not say {words:?}:\n{text}", self.path);
        self
    }

    #[track_caller]
    pub fn assert_silent_on(&self, words: &str) -> &Self {
        let text = self.raw();
        assert!(!text.contains(words), "{} says {words:?}:\n{}", self.path, self.text_or_raw());
        self
    }

    /// The headers that leave with every answer, whatever made it.
    #[track_caller]
    fn assert_guarded(&self) {
        let policy = self.header("content-security-policy");
        assert!(!policy.is_empty() && !policy.contains("unsafe-"), "{}: policy {policy:?}", self.path);
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.path);
        assert!(!self.header("referrer-policy").is_empty(), "{}: no referrer policy", self.path);
    }

    fn text_or_raw(&self) -> String {
        if self.tokens.is_empty() { self.raw() } else { self.text() }
    }
}

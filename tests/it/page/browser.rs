//! A Chromium with a profile of its own, driven by WebDriver (W3C): JSON over HTTP, which the harness speaks already.
//! What takes a while is waited for by a condition, and what the browser complains of is a failure.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::{env, fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::eventually;
use crate::harness::ports::free_address;
use crate::harness::wire::Wire;

/// Keys that are no characters, by their place in Unicode's private use area (WebDriver §17.4.2).
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const ESCAPE: &str = "\u{E00C}";
pub(crate) const DOWN: &str = "\u{E015}";

/// A browser. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens one, in light colours and as large as a laptop's.
    pub(crate) fn open() -> Self {
        let address = free_address();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", address.port())).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().expect("chromedriver is installed, see tests/setup.sh");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        eventually("chromedriver", || std::net::TcpStream::connect(address).ok());
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--disable-gpu".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en".to_owned(),
            format!("--user-data-dir={}", browser._profile.path().display()),
        ];
        if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
            // Chromium refuses to start as root with its sandbox, as tests in a container run.
            arguments.push("--no-sandbox".to_owned());
        }
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let begun = browser.ask("POST", "/session", &capabilities);
        browser.session = format!("/session/{}", begun["sessionId"].as_str().expect("a session has an id"));
        browser.screen(1280, 800, false);
        browser
    }

    /// Opens one on the page of an instance, and waits until the page is live.
    pub(crate) fn at(admin: SocketAddr, path: &str) -> Self {
        let browser = Self::open();
        browser.go(admin, path);
        browser.until("the feed is live", "return document.querySelector('#feed-state')?.textContent === 'live'");
        browser
    }

    /// Goes to an address of the page.
    pub(crate) fn go(&self, admin: SocketAddr, path: &str) {
        self.tell("/url", &json!({ "url": format!("http://{admin}{path}") }));
    }

    /// What a script returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.run_with(script, &json!([]))
    }

    /// What a script returns that is given `arguments`.
    #[track_caller]
    pub(crate) fn run_with(&self, script: &str, arguments: &Value) -> Value {
        self.tell("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Waits until a script returns something that is true.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, script: &str) -> Value {
        let truth = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && *value != json!(0);
        let found = crate::harness::within(crate::harness::PATIENCE, || Some(self.run(script)).filter(truth));
        found.unwrap_or_else(|| {
            self.keep_screenshot("failure");
            panic!("{what}: not in time; the page says:\n{}", self.run("return document.body.innerText"))
        })
    }

    /// Waits until the text of the page holds `text`.
    #[track_caller]
    pub(crate) fn until_says(&self, text: &str) {
        let script = format!("return document.body.innerText.includes({})", json!(text));
        self.until(&format!("the page says {text:?}"), &script);
    }

    /// The text of the first element that fits.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        let text = self.run_with("return document.querySelector(arguments[0])?.innerText ?? null", &json!([css]));
        text.as_str().unwrap_or_else(|| panic!("nothing fits {css}")).to_owned()
    }

    /// How many elements fit.
    pub(crate) fn count(&self, css: &str) -> u64 {
        let count = self.run_with("return document.querySelectorAll(arguments[0]).length", &json!([css]));
        count.as_u64().expect("a length")
    }

    /// The query of the URL that is shown.
    pub(crate) fn query(&self) -> String {
        self.run("return location.search").as_str().expect("a text").to_owned()
    }

    /// Clicks as a person would: on what is in view and not covered.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.tell(&format!("/element/{element}/click"), &json!({}));
    }

    /// Writes into a field.
    #[track_caller]
    pub(crate) fn write(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.tell(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses keys, one after another, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() })))
            .collect();
        self.tell("/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// Goes back in the history.
    pub(crate) fn back(&self) {
        self.tell("/back", &json!({}));
    }

    /// Sets the size of the screen in CSS pixels, and whether the system prefers dark colours.
    pub(crate) fn screen(&self, width: u32, height: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Keeps a picture of what is shown, if the variable SCREENSHOTS names a folder for them.
    pub(crate) fn keep_screenshot(&self, name: &str) {
        let Some(folder) = env::var_os("SCREENSHOTS") else { return };
        fs::create_dir_all(&folder).expect("the folder for pictures");
        let encoded = Path::new(&folder).join(format!("{name}.base64"));
        let picture = self.ask("GET", &format!("{}/screenshot", self.session), &Value::Null);
        fs::write(&encoded, picture.as_str().expect("a picture is base64")).expect("writing a picture");
        let into = fs::File::create(encoded.with_extension("png")).expect("writing a picture");
        let done = Command::new("base64").arg("--decode").arg(&encoded).stdout(into).status();
        assert!(done.expect("coreutils are there").success());
        fs::remove_file(encoded).expect("it was just written");
    }

    /// Fails if the browser complained of anything (an error in a script, a breach of the policy, a request that
    /// failed) but of what holds one of `expected`.
    #[track_caller]
    pub(crate) fn assert_no_complaints_but(&self, expected: &[&str]) {
        let log = self.tell("/se/log", &json!({ "type": "browser" }));
        let complaint = |entry: &Value| {
            let (level, message) = (entry["level"].as_str().unwrap(), entry["message"].as_str().unwrap().to_owned());
            let known = expected.iter().any(|known| message.contains(known));
            (!known && level != "INFO" && level != "DEBUG").then(|| format!("{level}: {message}"))
        };
        let complaints: Vec<String> = log.as_array().unwrap().iter().filter_map(complaint).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Fails if the browser complained of anything.
    #[track_caller]
    pub(crate) fn assert_no_complaints(&self) {
        self.assert_no_complaints_but(&[]);
    }

    #[track_caller]
    fn element(&self, css: &str) -> String {
        let found = self.tell("/element", &json!({ "using": "css selector", "value": css }));
        let id = found.as_object().and_then(|found| found.values().next()?.as_str());
        id.unwrap_or_else(|| panic!("nothing fits {css}")).to_owned()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.tell("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    #[track_caller]
    fn tell(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // Chromedriver takes no other host than this one.
        let (port, length) = (self.address.port(), body.len());
        let answer = Wire::to(self.address).ask(format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        let mut said: Value = serde_json::from_slice(&answer.body).expect("WebDriver answers with JSON");
        assert_eq!(answer.status(), 200, "{method} {path} {body}: {}", said["value"]["message"]);
        said["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && std::net::TcpStream::connect(self.address).is_ok() {
            // Chromium ends with its session.
            let mut wire = Wire::to(self.address);
            let (session, port) = (&self.session, self.address.port());
            let asked = wire.try_send(format!("DELETE {session} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"));
            let _ = asked.and_then(|()| wire.try_answer_to("DELETE"));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

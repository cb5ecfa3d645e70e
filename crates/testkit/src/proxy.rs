//! An endpoint before another one, whose answers a test can lose, change or make up.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// What a request gets.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer.
    Json(Value),
    /// An answer as it came, see [`Behind::pass`].
    Raw(Vec<u8>),
    /// An answer of which only the first half arrives.
    Half(Value),
    /// An HTTP status with a text, such as 503.
    Status(u16, String),
    /// An answer of unknown length that does not end.
    Endless,
    /// Nothing: the connection is closed.
    Nothing,
}

/// The endpoint behind, for whoever answers one request.
#[derive(Debug)]
pub struct Behind<'a> {
    proxy: &'a Proxy,
    body: &'a [u8],
}

impl Behind<'_> {
    /// What it answers to any request.
    #[must_use]
    pub fn ask(&self, request: &Value) -> Value {
        self.proxy.forward(request)
    }

    /// What it answers to this request, unread.
    #[must_use]
    pub fn pass(&self) -> Reply {
        self.proxy.forward_bytes(self.body).map_or(Reply::Nothing, Reply::Raw)
    }
}

/// Answers a request, given the endpoint behind.
type Rule = dyn Fn(&Value, &Behind<'_>) -> Reply + Send + Sync;

/// A running endpoint. It runs until the process ends.
#[derive(Clone)]
pub struct Proxy {
    url: String,
    behind: String,
    rule: Arc<Mutex<Arc<Rule>>>,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proxy").field("url", &self.url).field("behind", &self.behind).finish()
    }
}

impl Proxy {
    /// Serves what the endpoint at `behind` (`http://host:port`) answers, on a free port.
    #[must_use]
    pub fn to(behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let forward: Arc<Rule> = Arc::new(|_, behind| behind.pass());
        let rule = Arc::new(Mutex::new(forward));
        let proxy = Self { url, behind: behind.to_owned(), rule, asked: Arc::default() };
        let served = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                std::thread::spawn(move || served.talk(stream));
            }
        });
        proxy
    }

    /// Its JSON-RPC endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers by `rule` from now on, given what the endpoint behind would answer. `None` closes the connection without an answer.
    pub fn set(&self, rule: impl Fn(&Value, &dyn Fn() -> Value) -> Option<Value> + Send + Sync + 'static) {
        self.reply(move |request, behind| {
            rule(request, &|| behind.ask(request)).map_or(Reply::Nothing, Reply::Json)
        });
    }

    /// Replies by `rule` from now on, given the endpoint behind.
    pub fn reply(&self, rule: impl Fn(&Value, &Behind<'_>) -> Reply + Send + Sync + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rule);
    }

    /// Passes everything on from now on.
    pub fn open(&self) {
        self.set(|_, forward| Some(forward()));
    }

    /// Answers nothing from now on.
    pub fn close(&self) {
        self.set(|_, _| None);
    }

    /// How often a method was called.
    #[must_use]
    pub fn asked(&self, method: &str) -> usize {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(method).copied().unwrap_or(0)
    }

    /// Answers one connection's requests until it is closed.
    fn talk(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let asked = read_body(&mut reader)?;
            let request: Value = serde_json::from_slice(&asked).ok()?;
            let method = request["method"].as_str().unwrap_or_default().to_owned();
            *self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(method).or_default() += 1;
            let rule = Arc::clone(&self.rule.lock().unwrap_or_else(PoisonError::into_inner));
            let (status, body, half) = match rule(&request, &Behind { proxy: self, body: &asked }) {
                Reply::Json(answer) => ("200 OK".to_owned(), answer.to_string().into_bytes(), false),
                Reply::Raw(answer) => ("200 OK".to_owned(), answer, false),
                Reply::Half(answer) => ("200 OK".to_owned(), answer.to_string().into_bytes(), true),
                Reply::Status(code, body) => (format!("{code} Unavailable"), body.into_bytes(), false),
                Reply::Endless => return endless(&mut writer),
                Reply::Nothing => return None,
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            writer.write_all(head.as_bytes()).ok()?;
            let sent = if half { body.len() / 2 } else { body.len() };
            writer.write_all(body.get(..sent)?).ok()?;
            if half {
                return None;
            }
        }
    }

    /// What the endpoint behind answers.
    fn forward(&self, request: &Value) -> Value {
        let answer = self.forward_bytes(request.to_string().as_bytes());
        let gone = json!({ "code": -32000, "message": "nobody is behind this endpoint" });
        let answer = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
        answer.unwrap_or_else(|| json!({ "jsonrpc": "2.0", "id": request["id"], "error": gone }))
    }

    fn forward_bytes(&self, body: &[u8]) -> Option<Vec<u8>> {
        let address = self.behind.strip_prefix("http://")?;
        let mut stream = TcpStream::connect(address.trim_end_matches('/')).ok()?;
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        read_body(&mut BufReader::new(stream))
    }
}

/// Writes white space, as which any answer may begin, until the connection is closed.
fn endless(writer: &mut TcpStream) -> Option<()> {
    writer
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .ok()?;
    loop {
        writer.write_all(b"8\r\n        \r\n").ok()?;
    }
}

/// The body of an HTTP request or response that says how long it is.
fn read_body(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

//! A browser that does nothing but ask: HTTP/1.1 over kept connections, written by hand so that it costs little beside
//! the server it shares the machine with.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::figures::Round;

/// Which pages to ask for, in turn, and as whom.
#[derive(Clone)]
pub struct Visit {
    pub address: String,
    pub paths: Vec<String>,
    /// The `Cookie` header's value; empty for nobody.
    pub cookie: String,
}

/// Keeps so many connections busy for a time.
pub async fn ask(visit: Visit, connections: usize, time: Duration) -> Round {
    let begun = Instant::now();
    let until = begun + time;
    let all = join_all((0..connections).map(|n| one_connection(&visit, n, until))).await;
    Round { elapsed: begun.elapsed(), each: all.concat() }
}

async fn one_connection(visit: &Visit, n: usize, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&visit.address).await.expect("the server takes connections");
    stream.set_nodelay(true).expect("a socket option");
    let mut buffer = Vec::with_capacity(256 * 1024);
    let mut each = Vec::new();
    // Connections begin at different pages, so that they do not all ask for the same one at once.
    let mut turn = n * 7;
    while Instant::now() < until {
        let path = &visit.paths[turn % visit.paths.len()];
        turn += 1;
        let begun = Instant::now();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", visit.address, visit.cookie);
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let status = answer(&mut stream, &mut buffer).await;
        assert_eq!(status, "200", "GET {path}: {}", String::from_utf8_lossy(&buffer));
        each.push(begun.elapsed());
    }
    each
}

/// Reads one whole answer and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> String {
    buffer.clear();
    let mut whole = None;
    loop {
        if whole.is_none() {
            whole = head(buffer);
        }
        let complete = match whole {
            Some(Whole::Length(length)) => buffer.len() >= length,
            Some(Whole::Chunks) => buffer.ends_with(b"\r\n0\r\n\r\n"),
            None => false,
        };
        if complete {
            let line = buffer.split(|byte| *byte == b'\r').next().unwrap_or_default();
            return String::from_utf8_lossy(line).split(' ').nth(1).unwrap_or_default().to_owned();
        }
        let read = stream.read_buf(buffer).await.expect("the answer is read");
        assert!(read > 0, "the server hung up");
    }
}

#[derive(Clone, Copy)]
enum Whole {
    /// Head and body together.
    Length(usize),
    Chunks,
}

/// How far the answer goes, once its head is there.
fn head(buffer: &[u8]) -> Option<Whole> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    Some(length.map_or(Whole::Chunks, |length| Whole::Length(end + length)))
}

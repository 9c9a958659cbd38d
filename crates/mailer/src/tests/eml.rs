//! A reader for the messages we write, so that a test sees what a mail program sees.

use std::path::Path;

pub struct Eml {
    headers: Vec<(String, String)>,
    /// The parts of the alternative, decoded: their types and their texts.
    pub parts: Vec<(String, String)>,
}

impl Eml {
    /// The headers of a whole message, in order.
    pub const HEADERS: [&str; 8] =
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];

    /// The message in a folder that must hold one file and no other.
    pub fn only_one_in(folder: &Path) -> Self {
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() == 1 && files[0].extension().is_some_and(|end| end == "eml"), "{files:?}");
        Self::parse(&String::from_utf8(std::fs::read(&files[0]).unwrap()).unwrap())
    }

    pub fn parse(message: &str) -> Self {
        assert_eq!(message.matches('\n').count(), message.matches("\r\n").count(), "every line ends in CRLF");
        assert!(message.lines().all(|line| line.len() <= 998), "no line is longer than SMTP takes");
        let (headers, body) = split(message);
        let kind = find(&headers, "Content-Type");
        let boundary = kind.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a boundary");
        let pieces: Vec<&str> = body.split(&format!("--{boundary}")).collect();
        assert_eq!(pieces.len(), 4, "a text part, an HTML part and the end");
        let parts = pieces[1..3].iter().map(|piece| part(piece.trim_start_matches("\r\n"))).collect();
        Self { headers, parts }
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
}

/// Headers, unfolded, and what follows them.
fn split(text: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = text.split_once("\r\n\r\n").expect("headers end");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    (unfolded.split("\r\n").map(|line| pair(line).expect(line)).collect(), body)
}

fn part(text: &str) -> (String, String) {
    let (headers, body) = split(text);
    let body = body.strip_suffix("\r\n").unwrap_or(body);
    let decoded = match find(&headers, "Content-Transfer-Encoding") {
        "quoted-printable" => quoted_printable(body),
        "7bit" => body.to_owned(),
        other => panic!("{other} is not read here"),
    };
    (find(&headers, "Content-Type").to_owned(), decoded.replace("\r\n", "\n"))
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'=' {
            let code = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

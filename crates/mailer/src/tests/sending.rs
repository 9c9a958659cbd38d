//! Mails leave as they were written: into a folder, into memory, and to a mail server that is not always well.

use super::eml::Eml;
use super::{ID, acme, facts, mail, noon, nordwind, notice};
use crate::{Mail, Post, SendError};
use domain::notice::{Audience, Topic};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

fn approval() -> Mail {
    mail(&notice(Topic::RequestApproved, Audience::Partner(nordwind()), facts()))
}

#[tokio::test]
async fn a_folder_gets_one_file_a_mail_however_often_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::folder(folder.path().join("mail"), &acme()).unwrap();
    let mail = approval();
    post.send(&mail, noon()).await.unwrap();
    post.send(&mail, noon()).await.unwrap();
    let eml = Eml::only_one_in(&folder.path().join("mail"));
    assert_eq!(eml.names(), Eml::HEADERS);
    assert_eq!(eml.header("From"), "\"Fundloop at Acme\" <mdf@acme.example>");
    assert_eq!(eml.header("To"), "\"Maria Lindholm\" <maria@nordwind.example>");
    assert_eq!(eml.header("Subject"), mail.subject);
    assert_eq!(eml.header("Date"), "Mon, 15 Jun 2026 12:00:00 +0000");
    assert_eq!(eml.header("Message-ID"), ID);
    assert_eq!(eml.header("Auto-Submitted"), "auto-generated");
    let [(plain, text), (rich, html)] = &eml.parts[..] else { panic!("two parts") };
    assert!(plain.starts_with("text/plain") && rich.starts_with("text/html"));
    assert_eq!((text, html), (&mail.text, &mail.html));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_may_be_tomorrow() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let post = Post::folder(file.path(), &acme()).unwrap();
    assert!(post.send(&approval(), noon()).await.unwrap_err().temporary);
}

#[tokio::test]
async fn a_letterbox_shows_what_was_sent_and_can_refuse() {
    let (post, letterbox) = Post::memory(&acme()).unwrap();
    let down = SendError::temporary("The mail server is away.");
    letterbox.refuse(Some(down.clone()));
    assert_eq!(post.send(&approval(), noon()).await, Err(down));
    letterbox.refuse(None);
    post.send(&approval(), noon()).await.unwrap();
    assert_eq!(letterbox.to("Maria@nordwind.example"), [approval()]);
    assert_eq!(letterbox.empty().len(), 1);
    assert!(letterbox.mails().is_empty());
}

#[tokio::test]
async fn a_mail_server_gets_the_mail_with_the_same_id_on_every_try() {
    let server = Server::start(Vec::new());
    let post = Post::smtp(&server.url("mdf:p%40ss@"), &acme()).unwrap();
    for _ in 0..2 {
        post.send(&approval(), noon()).await.unwrap();
        let message = server.message();
        let eml = Eml::parse(&message);
        assert_eq!(eml.header("Message-ID"), ID);
        assert_eq!(eml.parts[0].1, approval().text);
    }
    let said = server.said();
    // NUL mdf NUL p@ss, in base64.
    assert!(said.contains(&"AUTH PLAIN AG1kZgBwQHNz".to_owned()), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("MAIL FROM:<mdf@acme.example>")), "{said:?}");
    assert!(said.contains(&"RCPT TO:<maria@nordwind.example>".to_owned()), "{said:?}");
}

#[tokio::test]
async fn only_a_refusal_of_this_mail_is_for_good() {
    let cases = [
        ("RCPT", "550 5.1.1 No such user", false),
        ("MAIL", "553 5.1.8 Not from there", false),
        ("DATA", "554 5.7.1 Looks like spam", false),
        ("RCPT", "451 4.7.1 Greylisted, try later", true),
        ("MAIL", "421 4.3.2 Shutting down", true),
        ("AUTH", "535 5.7.8 Wrong password", true),
    ];
    for (verb, reply, temporary) in cases {
        let server = Server::start(vec![(verb, reply)]);
        let post = Post::smtp(&server.url("mdf:secret@"), &acme()).unwrap();
        let error = post.send(&approval(), noon()).await.unwrap_err();
        assert_eq!(error.temporary, temporary, "{reply}");
        assert!(error.words.contains(&reply[4..]), "{} should say {reply}", error.words);
        assert!(!error.words.contains("secret"));
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_may_come_back() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let post = Post::smtp(&format!("smtp://{nobody}"), &acme()).unwrap();
    assert!(post.send(&approval(), noon()).await.unwrap_err().temporary);
    assert_eq!(post.describe(), format!("SMTP, {nobody}"));
}

#[tokio::test]
async fn a_password_waits_for_tls() {
    let server = Server::start(Vec::new());
    let post = Post::smtp(&format!("{}?tls=required", server.url("mdf:secret@")), &acme()).unwrap();
    assert!(post.send(&approval(), noon()).await.unwrap_err().temporary);
    assert!(!server.said().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn settings_that_cannot_work_are_refused_at_once_without_their_password() {
    for url in [
        "",
        "mail.acme.example",
        "http://mdf:secret@mail.acme.example",
        "smtp://",
        "smtp://mdf@host",
        "smtp://mdf:secret@host?tls=maybe",
    ] {
        let error = Post::smtp(url, &acme()).unwrap_err().to_string();
        assert!(error.ends_with('.') && !error.contains("secret"), "{url}: {error}");
    }
    let nobody = crate::Sender { email: "nobody".to_owned(), ..acme() };
    assert!(Post::folder("mail", &nobody).is_err());
}

/// A mail server: it takes whatever comes, or answers one command with what a test gave it.
struct Server {
    port: u16,
    lines: Receiver<String>,
    messages: Receiver<String>,
}

impl Server {
    fn url(&self, user: &str) -> String {
        format!("smtp://{user}127.0.0.1:{}", self.port)
    }

    fn message(&self) -> String {
        self.messages.try_recv().expect("a message has come")
    }

    fn said(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    fn start(replies: Vec<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (say, lines) = channel();
        let (keep, messages) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (replies, say, keep) = (replies.clone(), say.clone(), keep.clone());
                // A client that hangs up ends its conversation, not the server.
                std::thread::spawn(move || serve(stream.unwrap(), &replies, &say, &keep));
            }
        });
        Self { port, lines, messages }
    }
}

fn serve(
    mut stream: TcpStream,
    replies: &[(&str, &str)],
    say: &Sender<String>,
    keep: &Sender<String>,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    write!(stream, "220 mail.acme.example\r\n")?;
    let mut line = String::new();
    while {
        line.clear();
        input.read_line(&mut line)?
    } > 0
    {
        let command = line.trim_end().to_owned();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        // A test may have ended; nobody listens then.
        let _ = say.send(command);
        let given = replies.iter().find(|(at, _)| *at == verb).map(|(_, reply)| *reply);
        let reply = given.unwrap_or(match verb.as_str() {
            "EHLO" => "250-mail.acme.example\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 2.7.0 Welcome",
            "DATA" => "354 Go on",
            "QUIT" => "221 Bye",
            _ => "250 OK",
        });
        write!(stream, "{reply}\r\n")?;
        if verb == "DATA" && given.is_none() {
            let mut message = String::new();
            while {
                line.clear();
                input.read_line(&mut line)?
            } > 0
                && line != ".\r\n"
            {
                message.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            let _ = keep.send(message);
            write!(stream, "250 2.0.0 Taken\r\n")?;
        }
    }
    Ok(())
}

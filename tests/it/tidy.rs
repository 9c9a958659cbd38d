//! House rules that a machine can hold: the arrows between crates, sizes, words that must not appear, licences.
//!
//! Each test lists everything that breaks its rule, so that one run is enough to mend it all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use kit::{files_under, root};

const SQL: &[&str] = &["sea-orm", "sea-orm-migration", "sqlx", "rusqlite", "tokio-postgres"];
const HTTP: &[&str] = &["actix-web", "actix-multipart", "reqwest", "hyper", "axum"];
const HTML: &[&str] = &["askama", "askama_web"];
const MAIL: &[&str] = &["lettre"];
const ASYNC: &[&str] = &["tokio", "futures-util", "async-trait", "actix-rt"];

/// The arrows of ARCHITECTURE.md: a crate, the crates of ours it may know, the kinds of library it must not know.
const ARROWS: &[Arrows] = &[
    ("attribution", &[], &[SQL, HTTP, HTML, MAIL, ASYNC]),
    ("domain", &["attribution"], &[SQL, HTTP, HTML, MAIL, ASYNC]),
    ("migrations", &[], &[HTTP, HTML, MAIL]),
    ("storage", &["domain", "migrations"], &[HTTP, HTML, MAIL]),
    ("mailer", &["domain"], &[SQL, HTTP]),
    ("engine", &["domain", "attribution", "storage", "mailer"], &[SQL, HTTP, HTML]),
    ("web", &["domain", "engine", "storage"], &[SQL, MAIL]),
    ("fundloop", &["attribution", "domain", "migrations", "storage", "mailer", "engine", "web"], &[SQL]),
];

type Arrows = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

/// Words that must not appear in the sources below a folder, and why.
const BANNED: &[(&str, &[&str], &str)] = &[
    ("crates/web/src", &["sea_orm", "DatabaseConnection", "DatabaseTransaction"], "a handler touches no SQL"),
    ("crates/engine/src", &["sea_orm", "actix_web"], "the engine knows storage's verbs, not SQL and not HTTP"),
    ("crates/domain/src", &["Utc::now", "Local::now", "Instant::now", "SystemTime"], "the domain has no clock"),
    ("crates/domain/src", &["now_v7()", "new_v4()", "rand::rng()", "thread_rng"], "the domain has no randomness"),
    ("crates/domain/src", &["async fn", ".await", "std::fs", "std::net", "std::env"], "the domain does no I/O"),
    ("crates/domain/src/money.rs", &["f32", "f64"], "no float touches money"),
    ("crates/domain/src/ledger.rs", &["f32", "f64"], "no float touches money"),
    ("crates", &["todo!(", "unimplemented!(", "dbg!("], "what is landed is finished"),
    ("migrations/src", &["todo!(", "unimplemented!("], "what is landed is finished"),
    ("tests/it", &["#[ignore"], "a test that is not run is not a test"),
    ("crates", &["#[ignore"], "a test that is not run is not a test"),
];

/// The nine steps of the loop: one step is four files of one name.
const STEPS: [&str; 9] = [
    "s1_plan",
    "s2_scorecard",
    "s3_forecast",
    "s4_action_plan",
    "s5_request",
    "s6_approval",
    "s7_execution",
    "s8_tracking",
    "s9_performance",
];

const LINES_PER_FUNCTION: usize = 70;
const LINES_PER_FILE: usize = 600;

/// Licences that ask for no more than their text and a notice.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates under another licence, each with the reason it is all right.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("option-ext", "MPL-2.0; runs while building (rust-embed's macro), is not in the program"),
    ("webdriver", "MPL-2.0; drives the browser in tests, is not in the program"),
];

/// Crates that must not be in the lockfile: another TLS, or a licence that would bind the whole program.
const UNWANTED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "actix-governor"];

#[test]
fn every_crate_keeps_to_its_arrows() {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let mut wrong = Vec::new();
    for (name, may_know, must_not_know) in ARROWS {
        let package = packages.iter().find(|p| p["name"] == **name);
        let package = package.unwrap_or_else(|| panic!("the workspace has no crate {name}"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let to = dependency["name"].as_str().expect("a name");
            if dependency["kind"] == "dev" {
                continue;
            }
            let ours = ARROWS.iter().any(|(n, ..)| *n == to);
            if (ours && !may_know.contains(&to)) || must_not_know.iter().any(|kind| kind.contains(&to)) {
                wrong.push(format!("{name} -> {to}"));
            }
        }
    }
    report("arrows that ARCHITECTURE.md does not have", &wrong);
}

#[test]
fn one_step_is_its_rule_its_page_its_template_and_its_test() {
    let mut missing = Vec::new();
    for step in STEPS {
        let rule = format!("crates/domain/src/steps/{step}.rs");
        let page = format!("crates/web/src/steps/{step}.rs");
        let test = format!("tests/it/{step}.rs");
        missing.extend([rule, page, test].into_iter().filter(|file| !root().join(file).is_file()));
        let templates = files_under(&root().join("templates").join(step));
        if !templates.iter().any(|f| f.extension().is_some_and(|e| e == "html")) {
            missing.push(format!("templates/{step}/*.html"));
        }
    }
    report("files a step lacks", &missing);
}

#[test]
fn functions_fit_a_screen_and_files_are_read_in_one_sitting() {
    let mut long = Vec::new();
    for file in rust_files() {
        let source = read(&file);
        let count = source.lines().count();
        if count > LINES_PER_FILE {
            long.push(format!("{}: {count} lines", short(&file)));
        }
        for (name, line, length) in functions(&source) {
            if length > LINES_PER_FUNCTION {
                long.push(format!("{}:{line}: fn {name}, {length} lines", short(&file)));
            }
        }
    }
    report(&format!("functions over {LINES_PER_FUNCTION} lines, files over {LINES_PER_FILE}"), &long);
}

#[test]
fn words_that_must_not_appear_do_not() {
    let mut found = Vec::new();
    for (place, words, why) in BANNED {
        let place = root().join(place);
        let files = if place.is_file() { vec![place] } else { files_under(&place) };
        for file in files.into_iter().filter(|f| is_rust(f) && !f.ends_with("it/tidy.rs")) {
            for (number, line) in read(&file).lines().enumerate() {
                let code = line.split("//").next().unwrap_or(line);
                for word in words.iter().filter(|w| code.contains(**w)) {
                    found.push(format!("{}:{}: {word} ({why})", short(&file), number + 1));
                }
            }
        }
    }
    report("words that must not appear", &found);
}

/// Whoever is refused hears what would pass: the last thing handed to these is never nothing.
#[test]
fn no_refusal_is_without_a_way_out() {
    let mut found = Vec::new();
    for folder in ["crates/domain/src", "crates/engine/src"] {
        for file in files_under(&root().join(folder)).into_iter().filter(|f| is_rust(f)) {
            let source = read(&file);
            found.extend(dead_ends(&source).into_iter().map(|line| format!("{}:{line}", short(&file))));
        }
    }
    report("refusals without a way out", &found);
}

/// Lines on which a refusal is made whose remedy says nothing.
fn dead_ends(source: &str) -> Vec<usize> {
    let made =
        ["Reason::new(", "Refusal::new(", "Refusal::at(", "Error::invalid(", "Error::refused(", "Verdict::fail("];
    let calls = made.iter().flat_map(|call| source.match_indices(call).map(|(at, _)| (at, at + call.len())));
    let silent = calls.filter(|(_, inside)| {
        let last = arguments(&source[*inside..]).into_iter().rfind(|argument| !argument.is_empty()).unwrap_or_default();
        ["\"\"", "String::new()", "\"\".to_owned()", "String::default()"].contains(&last.as_str())
    });
    let quiet = source.match_indices("::in_one_sentence(").map(|(at, _)| (at, at));
    silent.chain(quiet).map(|(at, _)| source[..at].lines().count().max(1)).collect()
}

/// The arguments of a call, from behind its opening bracket on.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut all = vec![String::new()];
    for c in text.chars() {
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
        } else {
            match c {
                '"' => quoted = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    all.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        all.last_mut().expect("it began with one").push(c);
    }
    all.iter().map(|argument| argument.trim().to_owned()).collect()
}

#[test]
fn templates_hold_no_inline_style_or_script() {
    let mut found = Vec::new();
    for file in files_under(&root().join("templates")) {
        // A mail client reads no style sheet: mails carry their style inline, pages never do.
        let is_mail = file.strip_prefix(root()).is_ok_and(|p| p.starts_with("templates/mail"));
        if is_mail || file.extension().is_none_or(|e| e != "html") {
            continue;
        }
        for (number, line) in read(&file).lines().enumerate() {
            if let Some(what) = inline(line) {
                found.push(format!("{}:{}: {what}", short(&file), number + 1));
            }
        }
    }
    report("what the Content Security Policy would refuse", &found);
}

fn inline(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    if line.contains(" style=") || line.contains("<style") {
        return Some("inline style");
    }
    if line.match_indices("<script").any(|(at, _)| !line[at..].split('>').next().unwrap_or("").contains("src=")) {
        return Some("inline script");
    }
    let handlers = [" onclick=", " onload=", " onchange=", " onsubmit=", " oninput=", " onerror=", "javascript:"];
    handlers.iter().any(|h| line.contains(h)).then_some("inline handler")
}

#[test]
fn every_dependency_is_free_to_use() {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]);
    let mut wrong = BTreeSet::new();
    for line in tree.lines().filter(|l| !l.is_empty()) {
        let line = line.trim_end_matches(" (*)");
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or(package);
        if !satisfied(licence) && !EXCEPTIONS.iter().any(|(n, _)| *n == name) {
            wrong.insert(format!("{package}: {licence:?}"));
        }
    }
    report("dependencies without a permissive licence", &wrong.into_iter().collect::<Vec<_>>());
}

#[test]
fn the_lockfile_holds_one_tls_and_nothing_unwanted() {
    let lock = read(&root().join("Cargo.lock"));
    let found: Vec<String> = UNWANTED
        .iter()
        .filter(|name| lock.lines().any(|l| l == format!("name = \"{name}\"")))
        .map(ToString::to_string)
        .collect();
    report("crates that must not be in Cargo.lock", &found);
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    let top = std::fs::read_dir(root()).expect("the root can be listed").flatten().map(|e| e.path());
    let documents = top.filter(|p| p.is_file()).chain(files_under(&root().join("docs")));
    for file in documents.filter(|f| f.extension().is_some_and(|e| e == "md")) {
        let folder = file.parent().expect("a file is in a folder").to_owned();
        for target in links(&read(&file)) {
            if !folder.join(&target).exists() {
                broken.push(format!("{} -> {target}", short(&file)));
            }
        }
    }
    report("links to files that are not there", &broken);
}

// --- reading -----------------------------------------------------------------------------------------------------

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn rust_files() -> Vec<PathBuf> {
    let folders = ["crates", "migrations", "tests"];
    let files = folders.iter().flat_map(|f| files_under(&root().join(f)));
    files.filter(|f| is_rust(f)).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn short(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

/// Name, first line and number of lines of every function, by the indentation rustfmt gives them.
fn functions(source: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let close = format!("{indent}}}");
        let one_line = line.trim_end().ends_with(['}', ';']);
        let end = if one_line { Some(0) } else { lines[at..].iter().position(|l| ends(l, &close, indent)) };
        found.push((name.to_owned(), at + 1, end.unwrap_or(0) + 1));
    }
    found
}

/// The closing brace of the function, or the semicolon of a mere declaration.
fn ends(line: &str, close: &str, indent: &str) -> bool {
    line == close || (line.starts_with(&format!("{indent})")) && line.ends_with(';'))
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for word in ["pub ", "pub(crate) ", "pub(super) ", "default ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

/// Whether an SPDX expression can be met with permissive licences only; `/` is an old way to write OR.
fn satisfied(expression: &str) -> bool {
    let expression =
        expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    !words.is_empty() && either(&words, &mut at)
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut met = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(words, at);
    }
    met
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut met = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at);
    }
    met
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let word = words.get(*at).copied().unwrap_or("");
    *at += 1;
    if word != "(" {
        return PERMISSIVE.contains(&word.replace("+WITH+", " WITH ").as_str());
    }
    let met = either(words, at);
    *at += 1;
    met
}

/// The targets of Markdown links that are files, without their fragments.
fn links(markdown: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (at, _) in markdown.match_indices("](") {
        let target = markdown[at + 2..].split(')').next().unwrap_or("");
        let path = target.split(['#', ' ']).next().unwrap_or("");
        if !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:") {
            targets.push(path.to_owned());
        }
    }
    targets
}

#[test]
fn the_rules_themselves_can_tell_right_from_wrong() {
    assert_eq!(dead_ends("a(\n  Reason::new(\"x\", format!(\"a, {b}\", c), \"\"),\n)"), [2]);
    assert_eq!(dead_ends("Refusal::at(\"f\", \"x\", \"Why, \\\"so\\\".\", \"Do \\\"it\\\".\",)"), [0_usize; 0]);
    for met in
        ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Zlib", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(satisfied(met), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR LGPL-3.0) AND MIT", "SSPL-1.0"] {
        assert!(!satisfied(unmet), "{unmet}");
    }
    let source =
        "impl X {\n    pub async fn long(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n}\nfn two() {\n}\n";
    assert_eq!(functions(source), [("long".to_owned(), 2, 5), ("two".to_owned(), 8, 2)]);
    assert_eq!(inline("<p style=\"x\">"), Some("inline style"));
    assert_eq!(inline("<script src=\"/a.js\" defer></script>"), None);
    assert_eq!(links("see [it](README.md#top) and [that](https://x.y)"), ["README.md"]);
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "rs")
}

//! Walks the program the way people do, by its links: which pages there are for somebody, which links lead nowhere.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::Method;
use web::gate::Access;
use web::routes::TABLE;

use crate::html::Token;
use crate::http::{Page, Visitor};

/// More pages than anybody has; a walk that finds more walks in circles.
const MOST: usize = 3000;
/// Links to one route that are followed: a chart has as many as it has figures, all written by one line.
const OF_ONE_ROUTE: usize = 60;
/// The same where each says no more than the others: tables to download, and the form that keeps a list's own address.
const OF_ONE_KIND: usize = 6;
/// An element is one with this many around it: what style sheets look at.
const AROUND: usize = 5;
const VOID: [&str; 9] = ["meta", "link", "input", "br", "hr", "img", "path", "line", "circle"];

/// One page as one person finds it.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: String,
    /// The line of the route table that answers it.
    pub route: &'static str,
    /// The pieces it is made of: each element with those around it, however often it is there.
    pub pieces: BTreeSet<u64>,
}

/// What one person can reach.
#[derive(Debug, Default)]
pub struct Walk {
    pub pages: Vec<Found>,
    /// What does not hold, a line each: where it was, and where it leads.
    pub broken: Vec<String>,
}

/// An address to look at and the page it was found on; a guess may be refused, a link may not.
struct Step {
    path: String,
    on: Option<String>,
}

/// Walks from the start page and from `guesses`, which need not be open to this person, along every link.
pub async fn walk(visitor: &Visitor, name: &str, guesses: &[String]) -> Walk {
    let mut walk = Walk::default();
    let mut known = HashSet::from(["/".to_owned()]);
    let mut ahead = VecDeque::from([Step { path: "/".to_owned(), on: Some("the address bar".to_owned()) }]);
    // Anchors that must be on a page, with where the link is.
    let mut anchors: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let guessed = guesses.iter().filter(|path| known.insert((*path).clone()));
    ahead.extend(guessed.map(|path| Step { path: path.clone(), on: None }).collect::<Vec<_>>());
    while let Some(Step { path, on }) = ahead.pop_front() {
        assert!(known.len() < MOST, "{name} finds no end: {path}");
        let page = visitor.get(&path).await;
        if let Some(to) = page.redirect() {
            let next = visitor.here(&to).filter(|to| known.insert(to.clone()));
            ahead.extend(next.map(|path| Step { path, on: on.clone() }));
            continue;
        }
        if page.status >= 400 {
            let refused = on.map(|on| format!("{name}, on {on}: {path} answers {}", page.status));
            walk.broken.extend(refused);
            continue;
        }
        let Some(route) = page.is_html().then(|| route_of(Method::GET, &path)).flatten() else { continue };
        walk.broken
            .extend(forms_to_nowhere(&page).into_iter().map(|to| format!("{name}, on {path}: a form posts to {to}")));
        for address in page.addresses() {
            let Some((to, anchor)) = resolve(visitor, &path, &address) else { continue };
            if let Some(anchor) = anchor {
                anchors.entry(to.clone()).or_default().insert((anchor, path.clone()));
            }
            let line = route_of(Method::GET, &to);
            let alike = line.is_some_and(|line| line.contains(".csv") || line == "/views/new");
            let most = if alike { OF_ONE_KIND } else { OF_ONE_ROUTE };
            let follows = counts.entry(line).or_insert(0_usize);
            if *follows < most && known.insert(to.clone()) {
                *follows += 1;
                ahead.push_back(Step { path: to, on: Some(path.clone()) });
            }
        }
        ids.insert(path.clone(), page.ids());
        walk.pages.push(Found { route, pieces: pieces(page.tokens()), path });
    }
    for (path, wanted) in anchors {
        let Some(there) = ids.get(&path) else { continue };
        let missing = wanted.into_iter().filter(|(anchor, _)| !there.contains(anchor));
        walk.broken.extend(missing.map(|(anchor, on)| format!("{name}, on {on}: {path} has no #{anchor}")));
    }
    walk
}

/// Where an address on a page leads, if it stays in the house: the path with its query, and the anchor.
fn resolve(visitor: &Visitor, on: &str, address: &str) -> Option<(String, Option<String>)> {
    let (to, anchor) = address.split_once('#').map_or((address, None), |(to, anchor)| (to, Some(anchor.to_owned())));
    let own = on.split('?').next().unwrap_or_default();
    let path = match to {
        "" => on.to_owned(),
        query if query.starts_with('?') => format!("{own}{query}"),
        other => visitor.here(other)?,
    };
    Some((path, anchor.filter(|anchor| !anchor.is_empty())))
}

/// Where forms post that no line of the table answers.
fn forms_to_nowhere(page: &Page) -> Vec<String> {
    let own = page.path.split('?').next().unwrap_or_default().to_owned();
    let mut nowhere = Vec::new();
    for form in page.forms() {
        let method = if form.method == "post" { Method::POST } else { Method::GET };
        let actions = form.buttons.iter().map(|button| &button.action).filter(|action| !action.is_empty());
        for action in actions.chain([&form.action]) {
            let to = if action.is_empty() { &own } else { action };
            if route_of(method.clone(), to).is_none() {
                nowhere.push(to.clone());
            }
        }
    }
    nowhere
}

/// The line of the table that answers this address: the one with the most of its own words.
pub fn route_of(method: Method, path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |pattern: &str| {
        let (mut theirs, mut ours) = (pattern.split('/'), path.split('/'));
        theirs.by_ref().zip(ours.by_ref()).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()))
            && pattern.split('/').count() == path.split('/').count()
    };
    let lines = TABLE.iter().filter(|line| line.method == method && fits(line.path));
    lines.min_by_key(|line| line.path.matches('{').count()).map(|line| line.path)
}

/// Every address of the table that a browser may open, API calls aside.
pub fn readable() -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(|line| line.method == Method::GET && !matches!(line.access, Access::Token(_))).map(|l| l.path)
}

/// As few of these pages, roughly, as it takes to open every route and to see every piece that any of them has.
pub fn enough<'a, T>(pages: impl Iterator<Item = (T, &'a Found)>) -> Vec<(T, &'a Found)> {
    let mut kinds: BTreeMap<(&str, &BTreeSet<u64>), (T, &Found)> = BTreeMap::new();
    for (whose, page) in pages {
        kinds.entry((page.route, &page.pieces)).or_insert((whose, page));
    }
    let mut left: Vec<(T, &Found)> = kinds.into_values().collect();
    let (mut seen, mut opened, mut chosen) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    loop {
        let news = |page: &Found| {
            page.pieces.iter().filter(|piece| !seen.contains(*piece)).count()
                + usize::from(!opened.contains(page.route))
        };
        left.retain(|(_, page)| news(page) > 0);
        let Some(best) = (0..left.len()).max_by_key(|at| news(left[*at].1)) else { return chosen };
        let page = left.swap_remove(best);
        seen.extend(page.1.pieces.iter().copied());
        opened.insert(page.1.route);
        chosen.push(page);
    }
}

/// The elements of a page, each with those around it, as numbers.
fn pieces(tokens: &[Token]) -> BTreeSet<u64> {
    let mut open: Vec<String> = Vec::new();
    let mut pieces = BTreeSet::new();
    for token in tokens {
        match token {
            Token::Open { name, attrs } => {
                let of = |key: &str| attrs.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str());
                open.push(format!("{name}.{}.{}", of("class"), of("type")));
                let mut hash = DefaultHasher::new();
                open[open.len().saturating_sub(AROUND)..].hash(&mut hash);
                pieces.insert(hash.finish());
                if VOID.contains(&name.as_str()) {
                    open.pop();
                }
            }
            Token::Close(name) => {
                let start = format!("{name}.");
                if let Some(at) = open.iter().rposition(|piece| piece.starts_with(&start)) {
                    open.truncate(at);
                }
            }
            Token::Text(_) => {}
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::tokens;

    #[test]
    fn a_page_that_shows_nothing_new_is_not_needed() {
        let of = |path: &str, html: &str| Found { path: path.to_owned(), route: "/", pieces: pieces(&tokens(html)) };
        let one = of("one", "<ul><li>a</li></ul>");
        let more = of("more", "<ul><li>b</li><li class=late>c</li></ul>");
        let other = of("other", "<p><b>a</b></p>");
        let chosen = enough([&one, &more, &other].into_iter().map(|page| ((), page)));
        let mut paths: Vec<&str> = chosen.iter().map(|chosen| chosen.1.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["more", "other"]);
    }

    #[test]
    fn an_address_finds_its_line() {
        assert_eq!(route_of(Method::GET, "/imports/new"), Some("/imports/new"));
        assert_eq!(route_of(Method::GET, "/imports/7"), Some("/imports/{id}"));
        assert_eq!(route_of(Method::GET, "/cycles?view=mine"), Some("/cycles"));
        assert_eq!(route_of(Method::GET, "/cycles/"), None);
        assert_eq!(route_of(Method::POST, "/nowhere"), None);
    }
}

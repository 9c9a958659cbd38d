//! The frame of every signed-in page: title, person, navigation, what just happened.

use askama::Template;

/// What every signed-in page's frame needs; made once per request by the request's extractor.
#[derive(Clone, Debug)]
pub struct Shell {
    pub title: String,
    pub user_name: String,
    pub user_role: String,
    /// `auto`, `light` or `dark`.
    pub theme: &'static str,
    pub csrf: String,
    pub flash: Option<Flash>,
    pub nav: Vec<NavItem>,
    pub vendor: String,
    /// Open tasks, shown beside "Home".
    pub needs: u32,
}

impl Shell {
    /// The program's version, shown in the foot of every page.
    pub const fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The same frame under another title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Marks the navigation item whose address the path is, or begins with.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        for item in &mut self.nav {
            item.current = match item.href {
                "/" => path == "/",
                href => path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')),
            };
        }
        self
    }
}

/// One entry of the main navigation.
#[derive(Clone, Debug)]
pub struct NavItem {
    pub label: &'static str,
    pub href: &'static str,
    pub current: bool,
}

impl NavItem {
    pub const fn new(label: &'static str, href: &'static str) -> Self {
        Self { label, href, current: false }
    }
}

/// One sentence about what just happened, shown once.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/flash.html")]
pub struct Flash {
    pub kind: FlashKind,
    pub text: String,
}

impl askama::filters::HtmlSafe for Flash {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashKind {
    Done,
    Problem,
    Note,
}

impl FlashKind {
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "tone-ok",
            Self::Problem => "tone-bad",
            Self::Note => "tone-info",
        }
    }

    /// State is never colour alone: the word that goes with it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "Done.",
            Self::Problem => "Not done.",
            Self::Note => "Note.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_item_is_the_one_the_path_is_under() {
        let shell = |path: &str| {
            let nav =
                vec![NavItem::new("Home", "/"), NavItem::new("Cycles", "/cycles"), NavItem::new("Funds", "/funds")];
            Shell {
                title: String::new(),
                user_name: String::new(),
                user_role: String::new(),
                theme: "auto",
                csrf: String::new(),
                flash: None,
                nav,
                vendor: String::new(),
                needs: 0,
            }
            .at(path)
            .nav
            .into_iter()
            .filter(|item| item.current)
            .map(|item| item.label)
            .collect::<Vec<_>>()
        };
        assert_eq!(shell("/"), ["Home"]);
        assert_eq!(shell("/cycles"), ["Cycles"]);
        assert_eq!(shell("/cycles/C-2026-0042/approval"), ["Cycles"]);
        assert_eq!(shell("/cyclesque"), [""; 0]);
    }
}

//! The tags of a page, by the rules of HTML as far as our pages use them.

/// A tag that opens something.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
}

impl Tag {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

enum Piece {
    Open(Tag),
    Close(String),
    Text(String),
}

/// A page in pieces.
pub(super) struct Tags(Vec<Piece>);

/// What is never closed.
const VOID: [&str; 6] = ["meta", "img", "input", "br", "rect", "line"];
/// What may be closed by `/>`, in SVG.
const SVG: [&str; 4] = ["rect", "line", "path", "circle"];

impl Tags {
    pub(super) fn of(page: &str) -> Self {
        let mut rest = page.strip_prefix("<!doctype html>\n").unwrap();
        let mut pieces = Vec::new();
        while let Some((text, after)) = rest.split_once('<') {
            assert!(!text.contains('>'), "a loose bracket after {text:?}");
            pieces.push(Piece::Text(plain(text)));
            if let Some(after) = after.strip_prefix('/') {
                let (name, after) = after.split_once('>').unwrap();
                pieces.push(Piece::Close(name.into()));
                rest = after;
                continue;
            }
            let (tag, closed, after) = open(after);
            let raw = ["script", "style"].contains(&tag.name.as_str());
            let name = tag.name.clone();
            pieces.push(Piece::Open(tag));
            if closed {
                pieces.push(Piece::Close(name.clone()));
            }
            rest = after;
            if raw {
                // Up to its end nothing is markup.
                let at = rest.find(&format!("</{name}>")).unwrap();
                rest = &rest[at..];
            }
        }
        assert_eq!(rest.trim(), "");
        Self(pieces)
    }

    pub(super) fn opened(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter().filter_map(|piece| if let Piece::Open(tag) = piece { Some(tag) } else { None })
    }

    /// Texts as they are read.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text.clone()) } else { None })
    }

    /// Everything that opens is closed, innermost first.
    pub(super) fn check_nesting(&self) {
        let mut open: Vec<&str> = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Open(tag) if VOID[..4].contains(&tag.name.as_str()) => {}
                Piece::Open(tag) => open.push(&tag.name),
                Piece::Close(name) => assert_eq!(open.pop(), Some(name.as_str()), "inside of {open:?}"),
                Piece::Text(_) => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

fn open(text: &str) -> (Tag, bool, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
    let mut tag = Tag { name: text[..end].to_ascii_lowercase(), attributes: Vec::new() };
    assert!(!tag.name.is_empty(), "a loose bracket before {:?}", &text[..20]);
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            assert!(SVG.contains(&tag.name.as_str()), "{tag:?}");
            return (tag, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, false, after);
        }
        let end = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace()).unwrap();
        let name = rest[..end].to_owned();
        let known = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ':');
        assert!(known && !name.is_empty(), "{name:?} in {tag:?}");
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(after) => {
                let (value, after) = after.split_once('"').unwrap();
                assert!(!value.contains('<'), "{value}");
                rest = after;
                plain(value)
            }
            None => String::new(),
        };
        assert!(tag.get(&name).is_none(), "{name} twice in {tag:?}");
        tag.attributes.push((name, value));
    }
}

fn plain(text: &str) -> String {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

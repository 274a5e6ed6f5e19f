//! Markup that cannot be made of what was read: texts become [`Html`] by being escaped, and all markup is part of the program.

use std::fmt::{Display, Write};

/// A piece of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

/// A text, escaped for between tags and for attributes in double or single quotes.
pub(crate) fn text(text: impl Display) -> Html {
    let mut escaped = String::new();
    for c in text.to_string().chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if base::is_deceptive(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    Html(escaped)
}

/// Markup of the program's own, each `{}` in it replaced by the next part.
pub(crate) fn markup(own: &'static str, parts: &[Html]) -> Html {
    let mut pieces = own.split("{}");
    let mut page = String::from(pieces.next().unwrap_or_default());
    let mut parts = parts.iter();
    for piece in pieces {
        page.push_str(parts.next().map_or("", Html::as_str));
        page.push_str(piece);
    }
    assert!(parts.next().is_none(), "a part has no place in {own}");
    Html(page)
}

/// A template of the program's own, each `{{name}}` in it replaced by the part of that name. Parts are not looked through: braces
/// in a name that was read stay what they are.
pub(crate) fn fill(template: &'static str, parts: &[(&str, Html)]) -> Html {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|(known, _)| *known == name).map(|(_, part)| part);
        assert!(part.is_some(), "nothing fills {{{{{name}}}}}");
        page.push_str(part.map_or("", Html::as_str));
        rest = after;
    }
    page.push_str(rest);
    Html(page)
}

impl Html {
    /// A file of the program's own.
    pub(crate) fn own(file: &'static str) -> Self {
        Self(file.into())
    }

    /// A chart, which escapes its own texts.
    pub(crate) fn chart(svg: &str) -> Self {
        Self(plot::for_page(svg))
    }

    /// The content of a file as the address of an image.
    pub(crate) fn data_uri(kind: &'static str, bytes: &[u8]) -> Self {
        Self(format!("data:{kind};base64,{}", base64(bytes)))
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This piece where a condition holds.
    pub(crate) fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::none() }
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Self {
        let mut page = String::new();
        pieces.into_iter().for_each(|piece| page.push_str(&piece.0));
        Self(page)
    }
}

/// Pieces with `, ` between them.
pub(crate) fn listed(pieces: impl IntoIterator<Item = Html>) -> Html {
    let mut page = String::new();
    for (i, piece) in pieces.into_iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(page, "{}{}", if i == 0 { "" } else { ", " }, piece.0);
    }
    Html(page)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let whole = three.iter().fold(0u32, |whole, &b| whole << 8 | u32::from(b)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let used = digit <= three.len();
            text.push(if used { char::from(DIGITS[(whole >> (18 - 6 * digit)) as usize & 63]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_are_only_texts() {
        let hostile = "<script>alert(1)</script>&\"'\u{0}\u{202e}\u{200f}";
        assert_eq!(
            text(hostile).as_str(),
            "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}\u{fffd}"
        );
        let placeholders = text("{{b}} {}");
        let page = fill("<p title='{{a}}'>{{b}}</p>", &[("a", placeholders.clone()), ("b", text(1))]);
        assert_eq!(page.as_str(), "<p title='{{b}} {}'>1</p>", "what was filled in is not looked through");
        assert_eq!(markup("<b>{}</b>{}", &[placeholders, text(2)]).as_str(), "<b>{{b}} {}</b>2");
    }

    #[test]
    #[should_panic(expected = "nothing fills {{b}}")]
    fn a_template_with_a_hole_is_a_bug() {
        fill("{{b}}", &[("a", text(1))]);
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|s| base64(s.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        assert_eq!(Html::data_uri("image/png", &[0xfb, 0xff]).as_str(), "data:image/png;base64,+/8=");
    }
}

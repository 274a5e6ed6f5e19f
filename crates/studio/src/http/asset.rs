//! The files of the page, which are part of the program.

use super::Failure;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A file of the page.
struct Asset {
    path: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        [$(Asset { path: $path, text: include_str!(concat!("../../page/", $path)) }),*]
    };
}

const ASSETS: &[Asset] = &assets![
    "index.html",
    "js/api.js",
    "js/brush-panel.js",
    "js/brush.js",
    "js/chart.js",
    "js/classes.js",
    "js/colours.js",
    "js/crop.js",
    "js/cropper.js",
    "js/cross.js",
    "js/curves.js",
    "js/dom.js",
    "js/eraser.js",
    "js/events.js",
    "js/examples.js",
    "js/feedback.js",
    "js/gallery.js",
    "js/heat-layer.js",
    "js/heat.js",
    "js/images.js",
    "js/inside-line.js",
    "js/keep.js",
    "js/kept.js",
    "js/keys.js",
    "js/label.js",
    "js/link.js",
    "js/main.js",
    "js/marks.js",
    "js/newest.js",
    "js/outline.js",
    "js/overlay.js",
    "js/painting.js",
    "js/palette.js",
    "js/pictures.js",
    "js/pixel-panel.js",
    "js/plane.js",
    "js/png.js",
    "js/recipe.js",
    "js/repairs.js",
    "js/results.js",
    "js/rooms/inside.js",
    "js/rooms/paint.js",
    "js/rooms/photo.js",
    "js/rooms/repair.js",
    "js/rooms/training.js",
    "js/rooms/wander.js",
    "js/run-view.js",
    "js/seed.js",
    "js/sheet.js",
    "js/stage.js",
    "js/store.js",
    "js/strength.js",
    "js/strokes.js",
    "js/studio.js",
    "js/surface.js",
    "js/theme.js",
    "js/truncation.js",
    "js/types.js",
    "js/unit-answers.js",
    "js/unit-edits.js",
    "js/unit-list.js",
    "js/unit-order.js",
    "js/unit-panel.js",
    "js/views.js",
    "js/walk.js",
    "js/whole.js",
    "js/words.js",
    "style/charts.css",
    "style/controls.css",
    "style/inside.css",
    "style/layout.css",
    "style/paint.css",
    "style/photo.css",
    "style/repair.css",
    "style/surface.css",
    "style/tokens.css",
    "style/training.css",
    "style/wander.css",
];

/// A file of the page by its path; without one the page itself.
pub(crate) async fn page(path: Option<Path<String>>, headers: HeaderMap) -> Response {
    let path = path.map_or_else(|| "index.html".to_owned(), |Path(path)| path);
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        return Failure::none("there is no such page").into_response();
    };
    // Files of another version of the program have other tags: a browser asks, and hears that nothing is new.
    let tag = format!("\"{}\"", &blake3::hash(asset.text.as_bytes()).to_hex()[..16]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(tag.as_str());
    let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let mut answer = if known { StatusCode::NOT_MODIFIED.into_response() } else { asset.text.into_response() };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of the page's folder that belong to the page.
    fn files(folder: &std::path::Path, prefix: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                if name != "tests" {
                    found.extend(files(&entry.path(), &format!("{name}/")));
                }
            } else if [".html", ".css", ".js", ".svg"].iter().any(|ending| name.ends_with(ending)) {
                found.push(name);
            }
        }
        found
    }

    #[test]
    fn every_file_of_the_page_is_part_of_the_program() {
        let mut there = files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page"), "");
        let mut known: Vec<String> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        there.sort();
        known.sort();
        assert_eq!(known, there);
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for asset in ASSETS {
            // The names of XML's languages are no addresses that anybody opens.
            let text = asset.text.replace("http://www.w3.org/", "");
            for word in ["http://", "https://", "//cdn", "eval(", "innerHTML"] {
                assert!(!text.contains(word), "{}: {word}", asset.path);
            }
        }
    }
}

//! Files of folders that are served. Every file that a request makes the studio read is read here.

use base::{Error, Result, files};
use std::path::Path;

/// Reads a file that lies in a folder, really: not behind a link that leads elsewhere.
///
/// # Errors
/// It is not there, lies elsewhere, or is longer than the limit.
pub(crate) fn read(folder: &Path, file: &Path, limit: u64) -> Result<Vec<u8>> {
    let real = |path: &Path| path.canonicalize().map_err(|e| Error::io("find", path, e));
    if !real(file)?.starts_with(real(folder)?) {
        return Err(Error::file(file, "lies elsewhere: links out of the folder are not followed"));
    }
    files::read(file, limit)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_lies_elsewhere_is_not_read() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = elsewhere.path().join("secret.png");
        std::fs::write(&secret, "secret").unwrap();
        std::fs::write(folder.path().join("own.png"), "own").unwrap();
        let link = |from: &str, to: &Path| std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
        link("link.png", &secret);
        link("folder", elsewhere.path());
        link("inside.png", Path::new("own.png"));
        let read = |name: &str| read(folder.path(), &folder.path().join(name), 100);
        assert_eq!((read("own.png").unwrap(), read("inside.png").unwrap()), (b"own".to_vec(), b"own".to_vec()));
        for name in ["link.png", "folder/secret.png"] {
            assert!(read(name).unwrap_err().to_string().contains("lies elsewhere"), "{name}");
        }
        assert!(read("none.png").is_err() && read("../own.png").is_err());
    }
}

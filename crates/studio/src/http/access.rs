//! Who may ask.

use std::net::IpAddr;

/// Where the studio listens, and who may ask.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// What a request must know; none is needed where only this machine can ask.
    pub token: Option<String>,
    /// Names by which the studio may be called besides those of this machine and its address.
    pub names: Vec<String>,
}

impl Access {
    /// On an address: with a new token where others than this machine can ask.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(host: IpAddr, port: u16) -> std::io::Result<Self> {
        let token = if host.is_loopback() { None } else { Some(new_token()?) };
        Ok(Self { host, port, token, names: Vec::new() })
    }

    /// Whether a request for this host (as in its header, with or without a port) is meant for this studio.
    pub(super) fn knows(&self, host: &str) -> bool {
        let name = name_of(host);
        let own = ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str());
        own || name.trim_matches(['[', ']']) == self.host.to_string() || self.names.contains(&name)
    }

    /// Whether a request knows the token. How long that takes says nothing about it.
    pub(super) fn admits(&self, given: Option<&str>) -> bool {
        match (&self.token, given) {
            (None, _) => true,
            (Some(_), None) => false,
            // Comparing hashes takes the same time wherever they differ.
            (Some(token), Some(given)) => blake3::hash(token.as_bytes()) == blake3::hash(given.as_bytes()),
        }
    }
}

/// The name in a host header, without the port, in small letters.
fn name_of(host: &str) -> String {
    let end = if host.starts_with('[') {
        host.find(']').map_or(host.len(), |end| end + 1)
    } else {
        host.find(':').unwrap_or(host.len())
    };
    host[..end].to_ascii_lowercase()
}

/// 160 random bits as letters and digits.
fn new_token() -> std::io::Result<String> {
    random_name(40)
}

/// So many random digits of base 16, which nobody guesses.
///
/// # Errors
/// The system gives no random numbers.
pub(crate) fn random_name(digits: usize) -> std::io::Result<String> {
    let mut bytes = vec![0u8; digits];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes.into_iter().filter_map(|byte| char::from_digit(u32::from(byte % 16), 16)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_known() {
        let access = Access::new("127.0.0.1".parse().unwrap(), 0).unwrap();
        for host in ["localhost", "localhost:7777", "127.0.0.1:1", "[::1]:80", "[::1]", "LOCALHOST"] {
            assert!(access.knows(host), "{host}");
        }
        for host in ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "", "[::2]", "10.0.0.1", "[", ":80"] {
            assert!(!access.knows(host), "{host}");
        }
        let open = Access { names: vec!["gpu-box".into()], ..Access::new("10.1.2.3".parse().unwrap(), 0).unwrap() };
        assert!(open.knows("10.1.2.3:80") && open.knows("gpu-box:9") && !open.knows("10.1.2.4"));
    }

    #[test]
    fn others_than_this_machine_need_a_token_that_nobody_guesses() {
        let access = |host: &str| Access::new(host.parse().unwrap(), 0).unwrap();
        assert!(access("127.0.0.1").token.is_none() && access("::1").token.is_none());
        let (a, b) = (access("0.0.0.0"), access("0.0.0.0"));
        let token = a.token.clone().unwrap();
        assert!(token.len() == 40 && a.token != b.token);
        assert!(a.admits(Some(&token)) && !a.admits(b.token.as_deref()) && !a.admits(None) && !a.admits(Some("")));
    }
}

//! Numbers as people read them.

/// A dash for what is not known.
const UNKNOWN: &str = "–";

/// `2,000`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 unit`, `20 units`.
pub(crate) fn of(n: usize, what: &str) -> String {
    format!("{} {what}{}", count(n as u64), if n == 1 { "" } else { "s" })
}

/// Three decimals.
pub(crate) fn decimals(x: f64) -> String {
    if x.is_finite() { format!("{x:.3}") } else { UNKNOWN.into() }
}

/// Three decimals, or how small it is.
pub(crate) fn small(x: f64) -> String {
    if x > 0.0 && x < 0.001 { format!("{x:.0e}") } else { decimals(x) }
}

/// A share in percent with two digits that count: `4.1 %`.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return UNKNOWN.into();
    }
    let percent = share * 100.0;
    // What is rounded up to 10 or 1 has the digits of those.
    let digits = if percent.abs() >= 9.95 || percent == 0.0 {
        0
    } else if percent.abs() >= 0.995 {
        1
    } else {
        2
    };
    format!("{percent:.digits$} %")
}

/// The ends of an interval, as `said` says numbers; or that there is none.
pub(crate) fn interval(ends: [f64; 2], between: &str, said: fn(f64) -> String) -> String {
    if ends.iter().all(|end| end.is_finite()) { ends.map(said).join(between) } else { "no interval".into() }
}

/// A number for programs: six decimals as in the tables of a dissection, nothing where it is not known.
pub(crate) fn key(x: f64) -> String {
    if x.is_finite() { format!("{x:.6}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.0004, 0.00999, 0.041, 0.0996, 0.6].map(percent),
            ["0 %", "0.04 %", "1.0 %", "4.1 %", "10 %", "60 %"]
        );
        assert_eq!([0.12345, f64::NAN].map(decimals), ["0.123", "–"]);
        assert_eq!(interval([0.1, 0.25], " to ", decimals), "0.100 to 0.250");
        assert_eq!(interval([f64::NAN; 2], " to ", decimals), "no interval");
        assert_eq!([0.0, 0.000_041, 0.5].map(small), ["0.000", "4e-5", "0.500"]);
        assert_eq!([0.5, f64::NAN].map(key), ["0.500000", ""]);
        assert_eq!((of(1, "unit"), of(2000, "unit")), ("1 unit".into(), "2,000 units".into()));
    }
}

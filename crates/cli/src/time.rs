//! Lengths of time as people write them.

use std::time::Duration;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// Reads `90s`, `30m`, `1h30m`, `1.5h`, `2d`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time such as 30m, 2h, 1h30m or 1d");
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(end);
        let mut after = after.chars();
        let unit = match after.next() {
            Some('s') => 1.0,
            Some('m') => MINUTE,
            Some('h') => HOUR,
            Some('d') => DAY,
            _ => return Err(wrong()),
        };
        seconds += number.parse::<f64>().map_err(|_| wrong())? * unit;
        rest = after.as_str();
    }
    // A year is more than any machine is trusted with.
    if (1.0..=366.0 * DAY).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{text:?} is not between a second and a year"))
    }
}

/// Says a time as exactly as people want to know it: `45 s`, `12 min`, `3 h 20 min`, `2 d 5 h`.
pub(crate) fn said(seconds: f64) -> String {
    let in_two = |large: f64, small: f64, names: [&str; 2]| {
        let count = (seconds / small).round();
        let each = (large / small).round();
        let (larger, smaller) = ((count / each).floor(), count % each);
        if smaller == 0.0 {
            format!("{larger} {}", names[0])
        } else {
            format!("{larger} {} {smaller} {}", names[0], names[1])
        }
    };
    match seconds {
        s if s < 2.0 * MINUTE => format!("{s:.0} s"),
        s if s < 2.0 * HOUR => format!("{:.0} min", s / MINUTE),
        s if s < 2.0 * DAY => in_two(HOUR, MINUTE, ["h", "min"]),
        _ => in_two(DAY, HOUR, ["d", "h"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let seconds = |text: &str| parse(text).map(|time| time.as_secs_f64());
        for (text, expected) in [("90s", 90.0), ("30m", 1800.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("2d", 172_800.0)]
        {
            assert_eq!(seconds(text), Ok(expected));
        }
        for wrong in ["30", "m", "1x", "h1", "1h30", "1..5h", "30 m", "-1h", "1é"] {
            let said = format!("{wrong:?} is no length of time such as 30m, 2h, 1h30m or 1d");
            assert_eq!(seconds(wrong), Err(said));
        }
        for impossible in ["", "0s", "400d", "99999999999999999999d"] {
            assert_eq!(seconds(impossible), Err(format!("{impossible:?} is not between a second and a year")));
        }
    }

    #[test]
    fn times_are_said_in_one_or_two_units() {
        let times = [0.0, 119.4, 120.0, 7199.0, 7200.0, 12_000.0, 86_399.0, 172_800.0, 190_000.0].map(said);
        assert_eq!(times, ["0 s", "119 s", "2 min", "120 min", "2 h", "3 h 20 min", "24 h", "2 d", "2 d 5 h"]);
    }
}

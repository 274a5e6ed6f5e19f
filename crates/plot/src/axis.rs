/// How values are spaced along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; values of 0 and below are left out.
    Log,
}

/// A range of values to be laid along pixels, with its ticks.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    /// Values with their labels, ascending.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis over the finite (and on a log scale positive) ones of `values`, with about `count` ticks. With
    /// `to_ticks` its ends are ticks; else the data's own ends.
    pub(crate) fn over(values: impl Iterator<Item = f64>, scale: Scale, count: usize, to_ticks: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|&v| usable(v, scale)) {
            // Nothing measured is outside; inside, every difference and quotient below is finite.
            let value = if scale == Scale::Log { value.clamp(1e-150, 1e150) } else { value.clamp(-1e290, 1e290) };
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = if scale == Scale::Log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        match scale {
            Scale::Linear => Self::linear(low, high, count, to_ticks),
            Scale::Log => Self::log(low, high, to_ticks),
        }
    }

    fn linear(mut low: f64, mut high: f64, count: usize, to_ticks: bool) -> Self {
        if high - low <= 1e-9 * low.abs().max(high.abs()).max(1e-280) {
            let room = if low.abs() < 1e-280 { 1.0 } else { low.abs() * 0.1 };
            (low, high) = (low - room, high + room);
        }
        let step = nice_step((high - low) / count as f64);
        if to_ticks {
            (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        }
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let values: Vec<f64> = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        let labels = linear_labels(&values, step);
        Self { scale: Scale::Linear, low, high, ticks: values.into_iter().zip(labels).collect() }
    }

    fn log(mut low: f64, mut high: f64, to_ticks: bool) -> Self {
        if high / low < 1.001 {
            (low, high) = (low / 2.0, high * 2.0);
        }
        // Up to two decades are divided at 2 and 5; of more than eight not every one has a tick.
        let decades = (high / low).log10();
        let factors: &[u8] = if decades <= 2.0 { &[1, 2, 5] } else { &[1] };
        let every = ((decades / 8.0).ceil() as i32).max(1);
        let powers = (low.log10().floor() as i32..=high.log10().ceil() as i32 + every).step_by(every as usize);
        // Parsed, because that is exact and `powi` is not.
        let exact = |factor, power| format!("{factor}e{power}").parse::<f64>().unwrap_or(f64::NAN);
        let candidates: Vec<f64> = powers.flat_map(|power| factors.iter().map(move |f| exact(f, power))).collect();
        if to_ticks {
            low = candidates.iter().rev().find(|&&tick| tick <= low).copied().unwrap_or(low);
            high = candidates.iter().find(|&&tick| tick >= high).copied().unwrap_or(high);
        }
        let within = candidates.into_iter().filter(|tick| (low..=high).contains(tick));
        let label = |tick: f64| match tick {
            1e-3..1e3 => tick.to_string(),
            1e3..1e6 => in_units(tick, 1e3, "k"),
            1e6..1e9 => in_units(tick, 1e6, "M"),
            _ => exponent(tick),
        };
        Self { scale: Scale::Log, low, high, ticks: within.map(|tick| (tick, label(tick))).collect() }
    }

    /// Where a value lies, 0 at the low end and 1 at the high one; `None` where it cannot be drawn.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let map = |v: f64| if self.scale == Scale::Log { v.log10() } else { v };
        let at = (map(value) - map(self.low)) / (map(self.high) - map(self.low));
        (usable(value, self.scale) && at.is_finite()).then_some(at)
    }
}

fn usable(value: f64, scale: Scale) -> bool {
    value.is_finite() && (scale == Scale::Linear || value > 0.0)
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let nice = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9));
    nice.unwrap_or(10.0) * power
}

/// One style for a whole axis, chosen by its largest value: `0.25`, `12k`, `1.5M` or `2·10⁻⁵`.
fn linear_labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize;
    let label = |v: f64| {
        if v == 0.0 {
            "0".into()
        } else if !(1e-5..1e9).contains(&largest) {
            exponent(v)
        } else if largest >= 1e6 {
            in_units(v, 1e6, "M")
        } else if largest >= 1e4 {
            in_units(v, 1e3, "k")
        } else {
            format!("{v:.decimals$}")
        }
    };
    values.iter().map(|&v| label(v)).collect()
}

/// `1500` in units of 1000 called `k`: `1.5k`.
fn in_units(value: f64, unit: f64, name: &str) -> String {
    format!("{}{name}", (value / unit * 1e6).round() / 1e6)
}

/// `2·10⁻⁵`, `10¹²`.
fn exponent(value: f64) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    let text = format!("{value:.3e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: String = power.chars().map(raised).collect();
    match mantissa.trim_end_matches('0').trim_end_matches('.') {
        "1" => format!("10{power}"),
        mantissa => format!("{mantissa}·10{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(values: &[f64], scale: Scale) -> String {
        let axis = Axis::over(values.iter().copied(), scale, 5, true);
        axis.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_numbers_that_people_like() {
        assert_eq!(labels(&[0.0, 1.0], Scale::Linear), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(&[0.013, 0.0471], Scale::Linear), "0.01 0.02 0.03 0.04 0.05");
        assert_eq!(labels(&[0.0, 50_000.0], Scale::Linear), "0 10k 20k 30k 40k 50k");
        assert_eq!(labels(&[0.0, 12_000.0], Scale::Linear), "0 5k 10k 15k");
        assert_eq!(labels(&[2e6, 5e6], Scale::Linear), "2M 3M 4M 5M");
        assert_eq!(labels(&[0.0, 4e-7], Scale::Linear), "0 10⁻⁷ 2·10⁻⁷ 3·10⁻⁷ 4·10⁻⁷");
        assert_eq!(labels(&[-3.0, 8.0], Scale::Linear), "-5 0 5 10");
        assert_eq!(labels(&[7.0], Scale::Linear), "6.0 6.5 7.0 7.5 8.0");
        assert_eq!(labels(&[], Scale::Linear), "0 0.2 0.4 0.6 0.8 1.0");
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        assert_eq!(labels(&[0.002, 3.0, 0.0, -1.0, f64::NAN], Scale::Log), "0.001 0.01 0.1 1 10");
        assert_eq!(labels(&[2.0, 30.0], Scale::Log), "2 5 10 20 50");
        assert_eq!(labels(&[500.0, 50_000.0], Scale::Log), "500 1k 2k 5k 10k 20k 50k");
        assert_eq!(labels(&[1e-7, 1e-4], Scale::Log), "10⁻⁷ 10⁻⁶ 10⁻⁵ 10⁻⁴");
        assert_eq!(labels(&[1.0], Scale::Log), "0.5 1 2");
    }

    proptest! {
        #[test]
        fn any_values_give_a_modest_number_of_ticks(
            values in prop::collection::vec(prop::num::f64::ANY, 0..5), log: bool, to_ticks: bool,
        ) {
            let scale = if log { Scale::Log } else { Scale::Linear };
            let axis = Axis::over(values.iter().copied(), scale, 5, to_ticks);
            prop_assert!(axis.ticks.len() <= 14, "{:?}", axis);
            for value in values {
                prop_assert!(axis.place(value).is_none_or(f64::is_finite));
            }
        }
    }
}

//! What fits into the time that somebody has: the size of the images, the widths and the batch, found by trying.

use crate::run::Evolution;
use crate::run::open::options;
use crate::settings::Settings;
use data::Size;
use net::{Device, Result};
use std::time::{Duration, Instant};
use train::{RunSettings, Training};

/// Sides of images that are tried, in pixels.
const SIDES: [usize; 7] = [32, 48, 64, 96, 128, 192, 256];
/// Widths of generator and discriminator that are tried where there is time to spare.
const WIDER: [(usize, usize); 3] = [(32, 48), (48, 64), (64, 96)];
/// The part of the time that goes into generations; the rest is for pictures and checkpoints.
const USED: f64 = 0.95;
/// Checkpoints and grids of samples in a run.
const CHECKPOINTS: u64 = 20;
const GRIDS: u64 = 40;

/// Settings that fit into a time.
#[derive(Clone, Debug)]
pub struct Fit {
    /// All settings.
    pub settings: Settings,
    /// Those that were chosen, and their values.
    pub chosen: Vec<(&'static str, String)>,
    /// Seconds that a generation takes here.
    pub seconds: f64,
    /// Generations after which pictures of this size begin to be good: [`generations_until_good`].
    pub until_good: u64,
}

/// Generations of 32 images after which pictures of so many pixels a side begin to be good. Counted on scenes and cats with the preset
/// `laptop` (docs/results.md): about 2,000 at 32 pixels, 4,000 at 64.
pub fn generations_until_good(side: usize) -> u64 {
    (side as u64 * 125).div_ceil(2)
}

/// Chooses what is not among the `fixed` keys, so that the run takes `time`: the largest images whose pictures become good in it, and wider
/// networks where they become good twice over. `tried` hears of every try: settings, and seconds of a generation.
///
/// # Errors
/// Settings and data do not fit, or not even the smallest networks fit into memory.
pub fn fit(
    settings: &Settings,
    fixed: &[String],
    time: Duration,
    device: &Device,
    mut tried: impl FnMut(&Settings, f64),
) -> Result<Fit> {
    let begun = Instant::now();
    let is_fixed = |key: &str| fixed.iter().any(|name| name == key);
    let seconds = time.as_secs_f64() * USED;
    let is_enough = |s: &Settings, each: f64| each * needed(s) <= seconds;
    let mut time_of = |s: &Settings| -> Result<f64> {
        let each = Evolution::prepare(s.clone(), device.clone())?.seconds_of_a_step()?;
        tried(s, each);
        Ok(each)
    };

    let sides = if is_fixed("image.size") || is_points(settings) { Vec::new() } else { sides(settings)? };
    let of_side = |side: usize| {
        let mut s = settings.clone();
        s.image.size = Size::square(side);
        s
    };
    let first = sides.first().map_or_else(|| settings.clone(), |&side| of_side(side));
    let mut found = (time_of(&first)?, first);
    if is_enough(&found.1, found.0) {
        for &side in sides.iter().skip(1) {
            let s = of_side(side);
            // Most of the work grows as the pixels do: what is far out of reach is not tried.
            let guess = found.0 * 0.5 * pixels(&s) / pixels(&found.1);
            if !is_enough(&s, guess) {
                break;
            }
            match time_of(&s) {
                Ok(each) if is_enough(&s, each) => found = (each, s),
                // Too slow, or too large for this machine's memory.
                Ok(_) | Err(_) => break,
            }
        }
        if !is_fixed("width") && !is_fixed("width_d") {
            for (width, width_d) in WIDER.into_iter().filter(|&(width, _)| width > settings.width) {
                let s = Settings { width, width_d, ..found.1.clone() };
                match time_of(&s) {
                    Ok(each) if is_enough(&s, 2.0 * each) => found = (each, s),
                    Ok(_) | Err(_) => break,
                }
            }
        }
    } else if !is_points(settings) {
        if !is_fixed("width") && !is_fixed("width_d") && settings.width > 16 {
            let s = Settings { width: 16, width_d: 16, ..found.1.clone() };
            found = (time_of(&s)?, s);
        }
        if !is_enough(&found.1, found.0) && !is_fixed("batch") && !is_fixed("eval") && settings.batch >= 32 {
            let s = Settings { batch: settings.batch / 2, eval: settings.eval / 2, ..found.1.clone() };
            if s.check().is_ok() {
                found = (time_of(&s)?, s);
            }
        }
    }

    let (each, mut s) = found;
    let left = (seconds - begun.elapsed().as_secs_f64()).max(0.0);
    s.generations = round_down((left / each) as u64).max(1);
    if !is_fixed("log.checkpoint") {
        s.log.checkpoint = step(s.generations / CHECKPOINTS);
    }
    if !is_fixed("log.samples") {
        s.log.samples = step(s.generations / GRIDS);
    }
    let until_good = needed(&s) as u64;
    Ok(Fit { chosen: chosen(settings, &s), settings: s, seconds: each, until_good })
}

/// The sides that the images have pixels for; the smallest one always.
fn sides(settings: &Settings) -> Result<Vec<usize>> {
    // As training sees them, but in the size that they have. Broken images are not looked for unless they are then as well: that reads all.
    let options = data::Options { size: None, ..options(settings) };
    let set = data::open(&settings.data, &options)?;
    let most = match *set.shape() {
        // Scenes are drawn at any size.
        _ if settings.data == "scenes" => usize::MAX,
        [_, height, width] => height.min(width),
        _ => 0,
    };
    Ok(SIDES.into_iter().enumerate().filter(|&(i, side)| i == 0 || side <= most).map(|(_, side)| side).collect())
}

fn is_points(settings: &Settings) -> bool {
    settings.network == crate::Family::Mlp
}

/// Generations until pictures begin to be good: of smaller batches it takes more.
fn needed(s: &Settings) -> f64 {
    generations_until_good(s.image.size.longer()) as f64 * (32.0 / s.batch as f64).max(1.0)
}

fn pixels(s: &Settings) -> f64 {
    (s.image.size.width * s.image.size.height) as f64
}

/// A number as people would say it: two digits and zeros.
fn round_down(n: u64) -> u64 {
    let unit = 10u64.pow(n.checked_ilog10().unwrap_or(0).saturating_sub(1));
    n / unit * unit
}

/// The largest of 1, 2, 5, 10, 20, 50, ... up to a number.
fn step(n: u64) -> u64 {
    let unit = 10u64.pow(n.checked_ilog10().unwrap_or(0));
    [5, 2].into_iter().map(|few| few * unit).find(|&step| step <= n).unwrap_or(unit)
}

/// What differs, and how many generations there are.
fn chosen(before: &Settings, after: &Settings) -> Vec<(&'static str, String)> {
    let always = ["image.size", "width", "width_d", "batch", "generations"];
    let (old, new) = (before.as_typed(), after.as_typed());
    let value_of = |all: &[(String, String)], key: &str| all.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let keys = Settings::KEYS.iter().map(|key| key.name);
    keys.filter_map(|key| {
        let value = value_of(&new, key)?;
        let is_told = if is_points(after) { key == "generations" } else { always.contains(&key) };
        (is_told || value_of(&old, key).as_ref() != Some(&value)).then_some((key, value))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(overrides: &[&str]) -> Settings {
        let mut all = vec!["data=scenes", "width=4", "width_d=4", "batch=4", "eval=4"];
        all.extend(overrides);
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        Settings::resolve(&Settings::preset("laptop", false).unwrap(), None, &all).unwrap()
    }

    fn fixed(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn what_is_fixed_stays_and_the_rest_fits_the_time() {
        let fixed = fixed(&["image.size", "width", "width_d", "batch", "eval", "log.samples"]);
        let mut tries = 0;
        let told = |_: &Settings, _: f64| tries += 1;
        let fit = fit(&small(&["log.samples=7"]), &fixed, Duration::from_hours(1), &Device::cpu(), told);
        let fit = fit.unwrap();
        assert_eq!(tries, 1, "there is nothing to choose but the length");
        let s = &fit.settings;
        assert_eq!((s.image.size, s.width, s.batch, s.log.samples), (Size::square(32), 4, 4, 7));
        let planned = s.generations as f64 * fit.seconds;
        assert!((2700.0..3600.0).contains(&planned), "{} generations of {} s", s.generations, fit.seconds);
        assert_eq!(s.log.checkpoint, step(s.generations / 20));
        assert!(fit.chosen.contains(&("generations", s.generations.to_string())), "{:?}", fit.chosen);
    }

    #[test]
    fn what_does_not_fit_becomes_smaller_as_far_as_it_may() {
        let wide = small(&["width=24", "width_d=24", "batch=32", "eval=32"]);
        let mut seen = Vec::new();
        let told = |s: &Settings, _: f64| seen.push((s.image.size.width, s.width, s.batch));
        let fit = fit(&wide, &fixed(&[]), Duration::from_secs(1), &Device::cpu(), told).unwrap();
        assert_eq!(seen, [(32, 24, 32), (32, 16, 32), (32, 16, 16)]);
        assert!(fit.settings.generations < fit.until_good && fit.settings.check().is_ok());
    }

    #[test]
    fn numbers_are_round() {
        assert_eq!([0, 7, 99, 123, 4199].map(round_down), [0, 7, 99, 120, 4100]);
        assert_eq!([0, 1, 4, 19, 67, 130, 500].map(step), [1, 1, 2, 10, 50, 100, 500]);
        assert_eq!([32, 64, 128].map(generations_until_good), [2000, 4000, 8000]);
    }
}

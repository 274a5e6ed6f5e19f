//! Threads and runs at a time have a largest number.

use crate::support::{Place, shown, with_models};

#[test]
fn more_runs_at_a_time_than_there_can_be_is_a_wrong_command_line() {
    let place = Place::new();
    for jobs in ["0", "1025", "18446744073709551615", "-1"] {
        let output = place.output(&format!("trial ring8 --seeds 1 --generations 5 --jobs={jobs} --out t"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("it is a whole number from 1 to 1024"), "{said}");
    }
    assert!(!place.path("t").exists());
}

#[test]
fn a_number_of_threads_that_cannot_be_is_told_and_the_work_is_done() {
    let place = with_models();
    for (threads, told) in [("200000", "1024 threads are taken"), ("many", "is passed over"), ("2", "")] {
        let words = "-q sample g.safetensors --seeds 0..2 --out x.png";
        let output = place.command(words).env("RAYON_NUM_THREADS", threads).output().unwrap();
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(output.status.success(), "{}", shown(words, &output));
        assert!(said.contains(told) && said.lines().count() == usize::from(!told.is_empty()), "{threads}: {said}");
    }
}

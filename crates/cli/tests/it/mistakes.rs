//! The likeliest mistakes of people who begin, each with what it is answered: read the snapshot as they would.

use crate::support::{Place, check};

const MISTAKES: [&str; 24] = [
    // Where do the data go?
    "evolve photos",
    "evolve",
    "evolve --data photo",
    "data preview senes",
    // How is a setting called, and what may it be?
    "evolve --data photos --set size=64",
    "evolve --data photos --set learning_rate=0.1",
    "evolve --data photos --set batch=abc",
    "evolve --data photos --set batch",
    "evolve --data photos --preset Modern",
    "data preview photos --size 0",
    "sample scenes --columns many",
    // What is a model?
    "sample photos",
    "sample notes.txt",
    "sample scene",
    "inspect runs/00001",
    "resume runs/00001",
    // What are seeds, units, layers, classes?
    "sample scenes --seeds 5..",
    "edit scenes --ablate tree/20",
    "edit scenes --ablate 1b:treee/20",
    "edit scenes --ablate 1b:999",
    "dissect scenes --segmenter scenes --layers 9",
    "causal scenes --layer 1b --class Tree --out tree.json",
    // What is written where?
    "sample scenes --out pictures.jpg",
    "report photos",
];

#[test]
fn mistakes_are_answered_with_a_cure() {
    let place = Place::new();
    place.write("photos/a.png", &data::pictures::png(&data::Image::filled(8, 8, [9; 3])).unwrap());
    place.write("notes.txt", b"to do\n");
    let answers: Vec<String> = MISTAKES.iter().map(|words| place.run(words)).collect();
    check("mistakes", &answers.join("\n"));
}

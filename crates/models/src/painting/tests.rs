use super::*;
use crate::{Editing, Unwatched, open_dissection, open_segmenter};
use dissect::{Action, Painted, Place, Value};
use net::Device;

fn scenes() -> Painter {
    let device = Device::cpu();
    let generator = Generator::open("scenes", &device).unwrap();
    let (dissection, segmenter) = (open_dissection("scenes").unwrap(), open_segmenter("scenes", &device).unwrap());
    Painter::new(generator, Some(dissection), Vec::new(), Some(segmenter)).unwrap()
}

fn tree() -> Action {
    let middle = Painted::of([64, 64], |row, column| row > 20 && (30..60).contains(&column));
    Action { place: Place::Painted(middle), class: Some("objects/tree".into()), ..Action::ablate("1b", vec![3, 5, 8]) }
}

fn recipe(seed: u64, edits: Vec<Action>) -> Recipe {
    Recipe { latent: Some(LatentOf::Seed(seed)), ..Recipe::new(edits) }
}

#[test]
fn a_picture_has_the_bits_that_edit_gives_it_however_often_and_in_what_order() {
    let painter = scenes();
    let door = Action {
        units: dissect::Units::OfClass { class: "objects/door".into(), best: 20 },
        value: Value::MeanOf("objects/door".into()),
        alpha: 0.7,
        ..Action::ablate("2", vec![])
    };
    let hidden = Action { hidden: true, ..Action::ablate("2", vec![1]) };
    let recipes = [
        recipe(7, vec![]),
        recipe(7, vec![tree()]),
        recipe(7, vec![door.clone(), hidden, tree()]),
        recipe(8, vec![door]),
    ];
    let bits = |recipe: &Recipe| painter.numbers(&painter.sketch(recipe).unwrap()).unwrap().to_vec();
    let first: Vec<_> = recipes.iter().map(bits).collect();
    for (recipe, painted) in recipes.iter().zip(&first) {
        let latents = Latents::of_recipe(recipe.latent.as_ref().unwrap(), painter.generator()).unwrap();
        if recipe.edits.is_empty() {
            let plain = painter.generator().forward(&latents.batch(painter.generator(), 0, 1)).unwrap();
            assert_eq!(plain.to_vec(), *painted);
            continue;
        }
        let editing = Editing::new(painter.generator(), recipe.clone(), painter.dissection(), None).unwrap();
        let mut after = Vec::new();
        let done = editing.run(&latents, &mut Unwatched, |values| {
            after.extend_from_slice(values);
            Ok::<(), net::Error>(())
        });
        done.unwrap().unwrap();
        assert_eq!(after, *painted);
    }
    // From what is kept, backwards, and at the same time.
    std::thread::scope(|scope| {
        let again: Vec<_> = recipes.iter().rev().map(|recipe| scope.spawn(|| bits(recipe))).collect();
        for (again, painted) in again.into_iter().zip(first.iter().rev()) {
            assert_eq!(again.join().unwrap(), *painted);
        }
    });
}

#[test]
fn it_says_what_became_of_what_was_asked_for() {
    let painter = scenes();
    let dissection = painter.dissection().unwrap();
    let place = dissection.plan.layers.iter().position(|layer| layer.name == "1b").unwrap();
    let best = dissection.ranked_by_iou(place, dissection.concept("tree").unwrap())[..20].to_vec();
    let everywhere = Painted::of([64, 64], |_, _| true);
    let off = Action { units: dissect::Units::Numbers(best), place: Place::Painted(everywhere), ..tree() };
    let seen = painter.effects(&recipe(7, vec![off]), Some(0)).unwrap();
    let tree = seen.classes.iter().find(|class| class.id == "objects/tree").unwrap();
    let stroke = seen.stroke.unwrap();
    let cells = stroke.cells.unwrap();
    assert!(stroke.removes && cells.all == 64 && cells.had > 0 && cells.took > 0 && cells.took <= cells.had);
    assert_eq!((cells.before, cells.after), (tree.before, tree.after));
    assert!(
        tree.after < tree.before
            && stroke.others.iter().all(|other| other.category == "objects" && other.name != "tree")
    );
    let plain = painter.effects(&recipe(7, vec![]), None).unwrap();
    assert!(plain.stroke.is_none() && plain.classes.iter().all(|class| class.before == class.after));
    assert!(painter.effects(&recipe(7, vec![]), Some(0)).unwrap_err().to_string().contains("has no edit 0"));
}

#[test]
fn the_units_at_work_are_those_whose_maps_are_high_there() {
    let painter = scenes();
    let sketch = painter.plain(&LatentOf::Seed(7), &Conditions::default()).unwrap();
    let at = painter.at_pixel(&sketch, "2", [40, 20]).unwrap();
    assert_eq!((at.cell, at.units.len()), ([10, 5], 96));
    let best = &at.units[0];
    let heat = painter.heat(&sketch, "2", &[best.unit]).unwrap();
    assert_eq!(heat.units[0].values[10 * 16 + 5], best.value);
    assert_eq!(best.ratio.unwrap(), best.value / heat.units[0].level.unwrap());
    let active = painter.active(&sketch, "2").unwrap()[best.unit];
    assert_eq!(active.max, heat.units[0].values.iter().fold(f32::MIN, |a, &b| a.max(b)));
    // A unit that is switched off is at work nowhere.
    let off = painter.sketch(&recipe(7, vec![Action::ablate("2", vec![best.unit])])).unwrap();
    assert!(painter.heat(&off, "2", &[best.unit]).unwrap().units[0].values.iter().all(|&v| v == 0.0));
    assert!(painter.heat(&sketch, "2", &[96]).is_err() && painter.at_pixel(&sketch, "2", [64, 0]).is_err());
}

#[test]
fn what_was_painted_finds_the_units_that_are_on_there() {
    let painter = scenes();
    let layer = painter.layers().iter().find(|layer| layer.name == "2").unwrap().clone();
    // The examples are where unit 11 is on.
    let examples: Vec<(Sketch, Painted)> = (0..4)
        .map(|seed| {
            let sketch = painter.plain(&LatentOf::Seed(seed), &Conditions::default()).unwrap();
            let heat = painter.heat(&sketch, "2", &[11]).unwrap().units.remove(0);
            let level = heat.level.unwrap();
            let on = |row: usize, column: usize| heat.values[row * layer.size[1] + column] > level;
            (sketch, Painted::of(layer.size, on))
        })
        .filter(|(_, painted)| !painted.runs.is_empty())
        .collect();
    let own = painter.own_concept("2", &examples).unwrap();
    assert_eq!((own.units[0], own.ious[0]), (11, 1.0));
    assert!(own.ious[1] < 1.0 && painter.own_concept("2", &[]).is_err());
}

#[test]
fn causes_come_first_in_the_layer_where_they_take_most() {
    let device = Device::cpu();
    let open = || Generator::open("scenes", &device).unwrap();
    let causes = crate::shipped_causes("scenes".as_ref());
    let dissection = open_dissection("scenes").unwrap();
    assert!(causes.len() == 12 && causes.iter().all(|found| found.place_in(&dissection).is_ok()));
    let painter = Painter::new(open(), Some(dissection), causes, None).unwrap();
    let palette = painter.palette();
    let first = &palette[0];
    assert_eq!((first.id.as_str(), first.layer.as_str(), first.by), ("objects/door", "2", RankedBy::Causal));
    assert!((first.share.unwrap() - 0.941).abs() < 0.001 && first.units.len() == 96);
    assert!(first.contexts.iter().any(|context| context.class == "objects/house" && context.cells > 100));
    assert!(palette.is_sorted_by(|a, b| a.share >= b.share), "what was searched comes before what was not");
    let rows = painter.units("2").unwrap();
    assert!(rows[first.units[0]].effects.iter().any(|effect| effect.class == "objects/door"));
}

#[test]
fn the_palette_has_every_class_with_its_units() {
    let painter = scenes();
    let palette = painter.palette();
    let dissection = painter.dissection().unwrap();
    assert_eq!(palette.len(), dissection.concepts.list().len());
    for concept in &palette {
        let layer = painter.layers().iter().find(|layer| layer.name == concept.layer).unwrap();
        assert!(concept.units.len() == layer.units && concept.by == RankedBy::Iou && concept.share.is_none());
    }
    assert!(palette.is_sorted_by(|a, b| a.iou >= b.iou));
    let sky = painter.icon("objects/sky").unwrap().unwrap();
    assert_eq!([sky.width, sky.height], [48, 48]);
    let pixels = sky.pixels.as_chunks::<3>().0;
    assert!(pixels.iter().filter(|[r, _, b]| b > r).count() * 2 > pixels.len(), "the sky is blue");
    assert!(painter.icon("objects/none").is_err());
    assert!(painter.picture_of_unit("2", 94, 4).unwrap().is_some() && painter.picture_of_unit("2", 96, 4).is_err());
}

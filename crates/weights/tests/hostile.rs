//! Files that are broken or made to do harm end in errors, soon and in little memory, and nothing of them is ever executed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod assembler;

use assembler::Pickle;
use base::archive::ArchiveWriter;
use base::memory::Keep;
use base::seed::Stream;
use ganatomy_weights::Stored;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: Keep = Keep::new();

/// One at a time: what each takes of memory is measured.
static ALONE: Mutex<()> = Mutex::new(());

/// What the reader may take for a small file.
const MOST_MEMORY: usize = 200 << 20;
/// Each takes a small part of it.
const LONGEST: Duration = Duration::from_secs(1);

/// Opens a file and reads all of its tensors.
fn read_all(bytes: &[u8]) -> base::Result<usize> {
    let stored = Stored::from_bytes(bytes.to_vec(), "f.pth")?;
    let dicts = stored.state_dicts()?;
    let mut total = 0;
    for dict in &dicts {
        for (_, tensor) in dict.entries().filter(|(_, tensor)| tensor.refusal().is_none()) {
            total += tensor.to_bytes()?.len();
        }
    }
    stored.state_dict(None).map(|_| total)
}

/// How long this thread has computed, where the system says so: others use the machine, too. Else the time.
fn computed(since: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = said.and_then(|said| said.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// The error of a file, which must come in time and little memory.
fn refused(name: &str, bytes: &[u8]) -> String {
    let since = Instant::now();
    let (start, before) = (computed(since), MEMORY.in_use());
    MEMORY.forget_peak();
    let error = read_all(bytes).map(|total| panic!("{name} was read: {total} bytes")).unwrap_err().to_string();
    let (took, peak) = (computed(since).checked_sub(start).unwrap(), MEMORY.peak() - before);
    assert!(took < LONGEST, "{name} took {took:?}");
    assert!(peak < MOST_MEMORY, "{name} took {peak} bytes");
    error
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new("f.pth");
    members.iter().for_each(|(name, bytes)| writer.add(name, bytes).unwrap());
    writer.finish().unwrap()
}

/// A zip file of one tensor, as its pickle declares it, and as many bytes of its storage.
fn zip_of(tensor: impl FnOnce(Pickle) -> Pickle, stored: usize) -> Vec<u8> {
    let pickle = tensor(Pickle::new(2).empty_dict().mark().text("w")).op(b'u').stop();
    zip(&[("a/data.pkl", &pickle), ("a/data/0", &vec![0; stored])])
}

#[test]
fn files_made_to_do_harm_are_errors() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = |pickle: Pickle| pickle.stop();
    let tensor = |shape: &'static [i64], strides: &'static [i64], elements: i64| {
        move |pickle: Pickle| pickle.tensor("FloatStorage", "0", elements, 0, shape, strides)
    };
    assert_eq!(read_all(&zip_of(tensor(&[2, 3], &[3, 1], 6), 24)).unwrap(), 24);
    let huge = |pickle: Pickle| pickle.tensor("FloatStorage", "0", 4, 0, &[1 << 32, 1 << 32], &[0, 0]);
    let header =
        |json: &str, data: usize| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), &vec![0; data]].concat();
    let many = (0..100_000).map(|n| format!(r#""{n}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#));
    let many = format!("{{{}}}", many.collect::<Vec<_>>().join(","));
    let bomb = vec![0; 70 << 20];
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a shape without end", zip_of(huge, 16), "w declares the impossible shape"),
        ("more than is stored", zip_of(tensor(&[2, 3], &[3, 1], 6), 20), "declares 6 float32 numbers of its storage"),
        ("less than is stored", zip_of(tensor(&[2, 3], &[3, 1], 6), 28), "declares 6 float32 numbers of its storage"),
        ("226 GB", zip_of(tensor(&[1 << 20, 60_000], &[60_000, 1], 6), 24), "w declares the shape"),
        ("226 GB of one number", zip_of(tensor(&[1 << 20, 60_000], &[0, 0], 6), 24), "more than the file could hold"),
        ("behind the end", zip_of(tensor(&[2, 3], &[4, 1], 6), 24), "w declares the shape [2, 3]"),
        ("a negative length", zip_of(tensor(&[-2, 3], &[3, 1], 6), 24), "w has a shape that is none"),
        ("a negative step", zip_of(tensor(&[2, 3], &[-3, 1], 6), 24), "w has a shape that is none"),
        ("no storage", zip(&[("a/data.pkl", &whole(tensor(&[2], &[1], 2)(Pickle::new(2))))]), "that it does not hold"),
        ("a pickle that unpacks to 70 MB", zip(&[("a/data.pkl", &bomb)]), "unpacks to more than"),
        (
            "a storage that unpacks to 70 MB",
            zip_of(|pickle| pickle.tensor("FloatStorage", "0", 18_350_080, 0, &[2], &[1]), 70 << 20),
            "would unpack to 73400320 bytes",
        ),
        ("two pickles", zip(&[("a/data.pkl", b"N."), ("b/data.pkl", b"N.")]), "holds two pickles"),
        ("nothing by names", whole(Pickle::new(2).none()), "holds no tensors by names"),
        ("an array without end", whole(Pickle::new(2).array(&[1 << 40, 1 << 40], b"abcd")), "declares the shape"),
        ("an array of more than its bytes", whole(Pickle::new(2).array(&[3], b"abcd")), "declares the shape [3]"),
        ("a header longer than the file", header("{}", 0)[..9].to_vec(), "it declares a header of 2 bytes"),
        ("a header of 2^60 bytes", [&[0, 0, 0, 0, 0, 0, 0, 16][..], b"{}"].concat(), "is no file of weights"),
        ("a hole", header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8), "not a whole .safetensors"),
        (
            "an overlap",
            header(
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
                8,
            ),
            "is not a whole .safetensors file",
        ),
        (
            "a negative offset",
            header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 8),
            "not understood",
        ),
        (
            "a shape that overflows",
            header(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4),
            "is not a whole .safetensors file",
        ),
        ("100,000 tensors in one place", header(&many, 4), "is not a whole .safetensors file"),
        (
            "bytes behind the tensors",
            header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8),
            "and 8 are",
        ),
        (
            "one name twice",
            header(
                r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#,
                1,
            ),
            "\"a\" stands twice",
        ),
    ];
    for (name, bytes, reason) in &cases {
        let message = refused(name, bytes);
        assert!(message.contains(reason), "{name}: {message}");
    }
}

#[test]
fn pickles_made_to_take_time_or_memory_end_soon() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // [[], []] of itself again and again, 60 times: 2^60 lists for who follows it.
    let mut bomb = Pickle::new(2).op(b']').put(0);
    for level in 0..60u8 {
        bomb = bomb.op(b']').put(level + 1).mark().get(level).get(level).op(b'e');
    }
    let mut dicts = Pickle::new(2).op(b'}').put(0);
    for level in 0..60u8 {
        dicts = dicts.op(b'}').put(level + 1).mark().text("a").get(level).text("b").get(level).op(b'u');
    }
    // A module of two modules of two modules, 30 times.
    let module = |pickle: Pickle, children: &dyn Fn(Pickle) -> Pickle| {
        let made = pickle.global("torch.nn", "Module").op(b')').op(0x81).op(b'}').mark();
        let made = made.text("_parameters").op(b'}').text("_buffers").op(b'}').text("_modules").op(b'}').mark();
        children(made).op(b'u').op(b'u').op(b'b')
    };
    let mut modules = module(Pickle::new(2), &|pickle| pickle).put(0);
    for level in 0..30u8 {
        modules = module(modules, &|pickle| pickle.text("a").get(level).text("b").get(level)).put(level + 1);
    }
    // One long state of many objects, one long shape of many tensors.
    let mut long_state = Pickle::new(2).op(b'}').mark();
    for number in 0..50_000 {
        long_state = long_state.int(number).none();
    }
    let mut long_state = long_state.op(b'u').put(0).op(b'0').op(b']').mark();
    for _ in 0..50_000 {
        long_state = long_state.global("a", "b").op(b')').op(0x81).get(0).op(b'b');
    }
    let lists_deep = [&b"\x80\x02"[..], &b"]".repeat(1_000_000), &b"a".repeat(999_999), b"."].concat();
    let tuples_deep = [&b"\x80\x02N"[..], &b"\x85".repeat(1_900_000), b"."].concat();
    let itself = Pickle::new(2).op(b'}').put(0).text("self").get(0).op(b's').stop();
    let strings = [&b"\x80\x04"[..], &[b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f".as_slice(); 9].concat(), b"."].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a bomb of lists", bomb.stop(), "holds no tensors by names"),
        ("a bomb of dictionaries", dicts.stop(), "holds no tensors by names"),
        ("lists in lists", lists_deep, "holds no tensors by names"),
        ("tuples in tuples", tuples_deep, "holds no tensors by names"),
        ("a bomb of modules", modules.stop(), "holds more modules in each other than any network"),
        ("one state of many objects", long_state.op(b'e').stop(), "holds more modules in each other than any network"),
        ("a dictionary of itself", itself, "holds no tensors by names"),
        ("millions of values", [&b"\x80\x02"[..], &b"N0".repeat(3 << 20), b"N."].concat(), "is too large a pickle"),
        ("a stack of millions", [&b"\x80\x02"[..], &b"N".repeat(3 << 20), b"."].concat(), "is too large a pickle"),
        ("millions of marks", [&b"\x80\x02"[..], &b"(".repeat(3 << 20), b"N."].concat(), "is too large a pickle"),
        (
            "millions of dictionaries",
            [&b"\x80\x02"[..], &b"}0".repeat(3 << 20), b"N."].concat(),
            "is too large a pickle",
        ),
        ("millions of objects", [&b"\x80\x02"[..], &b"))R0".repeat(1 << 20), b"N."].concat(), "is too large a pickle"),
        ("texts longer than the file", strings, "it announces 9223372036854775807 bytes"),
        ("an integer of 2 GB", b"\x80\x02\x8b\xff\xff\xff\x7f.".to_vec(), "an integer of 2147483647 bytes"),
        ("an empty stack", b"\x80\x02.".to_vec(), "STOP: the stack is empty"),
        ("what lies under a mark", b"\x80\x02N(0a.".to_vec(), "APPEND: the stack is empty"),
        ("nothing in the memo", b"\x80\x02h\x07.".to_vec(), "BINGET: nothing was kept at 7"),
        ("no opcode", b"\x80\x02\xfe.".to_vec(), "at byte 2, 0xfe is no opcode"),
        ("a later protocol", b"\x80\x04\x80\x09.".to_vec(), "at byte 2, PROTO: protocol 9"),
        ("a buffer of another file", b"\x80\x05\x97.".to_vec(), "what it holds was saved in another file"),
    ];
    for (name, bytes, reason) in &cases {
        let message = refused(name, bytes);
        assert!(message.contains(reason), "{name}: {message}");
    }
}

#[test]
fn nothing_of_a_pickle_is_executed() {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    let command = format!("touch {}", proof.display());
    for (module, name) in [("os", "system"), ("posix", "system"), ("subprocess", "getoutput"), ("builtins", "exec")] {
        let call = |pickle: Pickle| pickle.global(module, name).text(&command).op(0x85).op(b'R');
        let alone = call(Pickle::new(2)).stop();
        let inside = call(Pickle::new(2).empty_dict().mark().text("state_dict")).op(b'u').stop();
        let zipped = zip(&[("a/data.pkl", &inside)]);
        for bytes in [alone, inside, zipped] {
            let message = read_all(&bytes).unwrap_err().to_string();
            assert!(message.ends_with("holds no tensors by names"), "{message}");
            let stored = Stored::from_bytes(bytes, "f.pth").unwrap();
            let root = stored.root();
            let made = root.get("state_dict").unwrap_or(root).as_made().unwrap();
            // It can be looked at.
            assert_eq!(made.class.as_global(), Some((module, name)));
            assert_eq!(made.arguments.items().next().unwrap().as_text(), Some(command.as_str()));
        }
    }
    assert!(!proof.exists());
}

/// The bytes with a few changes, as damage or malice make them.
fn changed(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1) as u64) as usize;
        let end = bytes.len().min(at + 1 + random.below(64) as usize);
        match random.below(6) {
            _ if bytes.is_empty() => {}
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'(', b'R', b'b', b'h', b't'][random.below(10) as usize],
            2 => bytes.truncate(at),
            3 => bytes[at..end.min(at + 4)].fill([0x00, 0xff][random.below(2) as usize]),
            4 => drop(bytes.drain(at..end)),
            _ => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn changed_files_end_in_values_or_errors() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension != "json"));
    names.sort();
    assert!(names.len() > 10);
    for path in names {
        let whole = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut random = Stream::new(0, &name, 0);
        for change in 0..500 {
            let bytes = changed(&whole, &mut random);
            let since = Instant::now();
            let (start, before) = (computed(since), MEMORY.in_use());
            MEMORY.forget_peak();
            let ended = catch_unwind(AssertUnwindSafe(|| drop(read_all(&bytes))));
            assert!(ended.is_ok(), "{name}, change {change}: panicked");
            let took = computed(since).checked_sub(start).unwrap();
            assert!(took < LONGEST, "{name}, change {change}: {took:?}");
            assert!(MEMORY.peak() - before < MOST_MEMORY, "{name}, change {change}: {} bytes", MEMORY.peak());
        }
    }
}

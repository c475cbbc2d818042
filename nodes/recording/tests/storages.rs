//! Each way in which rosbag2 stores a recording is read, and nothing is written beside it.

mod foreign;

use std::path::Path;

use foreign::{
    SECOND, Said, contents, pack, picture, pictures, refusal, times, walk, write_db3, write_mcap, write_metadata,
};
use recording::BagReader;
use recording::messages::Image;

/// Reads a file or folder, which must hold `expected` whole, and stay as it is.
fn expect_whole(folder: &Path, path: &Path, expected: &[Said]) {
    let before = contents(folder);
    assert_eq!(pictures(path), (times(expected), Vec::new()), "{}", path.display());
    let bag = BagReader::open(path).expect("a bag");
    let [topic] = bag.topics() else { panic!("{:?}", bag.topics()) };
    assert_eq!((topic.name.as_str(), topic.message_count), ("/camera/image_raw", expected.len() as u64));
    assert!(topic.is::<Image<'_>>());
    assert_eq!(contents(folder), before, "{}", path.display());
}

#[test]
fn whole_files_of_either_storage_are_read_plain_and_packed() {
    let scratch = tempfile::tempdir().unwrap();
    let walk = walk(5);
    for (plain, write) in
        [("bag_0.mcap", write_mcap as fn(&Path, &[Said])), ("bag_0.db3", write_db3 as fn(&Path, &[Said]))]
    {
        for end in ["", ".zstd"] {
            let folder = scratch.path().join(format!("a bag with % and ? in {plain}{end}"));
            std::fs::create_dir(&folder).unwrap();
            let (file, name) = (folder.join(plain), format!("{plain}{end}"));
            write(&file, &walk);
            if !end.is_empty() {
                std::fs::write(folder.join(&name), pack(&std::fs::read(&file).unwrap())).unwrap();
                std::fs::remove_file(&file).unwrap();
            }
            expect_whole(&folder, &folder.join(&name), &walk);
            expect_whole(&folder, &folder, &walk);
            write_metadata(&folder, &[&name]);
            expect_whole(&folder, &folder, &walk);
        }
    }
}

#[test]
fn messages_packed_one_by_one_are_unpacked_and_a_broken_one_costs_no_other() {
    let scratch = tempfile::tempdir().unwrap();
    let mut packed = walk(5);
    packed.iter_mut().for_each(|said| said.data = pack(&said.data));
    let mut broken = packed.clone();
    broken[1].data.truncate(20);
    for (name, write) in [("bag.mcap", write_mcap as fn(&Path, &[Said])), ("bag.db3", write_db3 as fn(&Path, &[Said]))]
    {
        let path = scratch.path().join(name);
        write(&path, &packed);
        expect_whole(scratch.path(), &path, &packed);
        std::fs::remove_file(&path).unwrap();
        write(&path, &broken);
        let (read, damage) = pictures(&path);
        assert_eq!(read, [packed[0].nanos, packed[2].nanos]);
        assert!(damage.len() == 1 && damage[0].contains("/camera/image_raw: zstd"), "{damage:?}");
    }
}

#[test]
fn a_database_is_read_in_the_order_of_its_times_over_all_its_files() {
    let scratch = tempfile::tempdir().unwrap();
    let (first, second) = (walk(5), walk(6));
    let mixed = [first[2].clone(), first[0].clone(), first[1].clone()];
    write_db3(&scratch.path().join("bag_0.db3"), &mixed);
    write_db3(&scratch.path().join("bag_1.db3"), &second);
    expect_whole(scratch.path(), scratch.path(), &[first, second].concat());
}

#[test]
fn a_database_that_was_cut_off_is_read_up_to_there() {
    let scratch = tempfile::tempdir().unwrap();
    let walk: Vec<Said> = (0..400).map(|number| picture("/camera/image_raw", number * SECOND, "rgb8")).collect();
    let path = scratch.path().join("whole.db3");
    write_db3(&path, &walk);
    let whole = std::fs::read(&path).unwrap();
    let mut counts = Vec::new();
    for eighths in 1..=8 {
        let cut = scratch.path().join("cut.db3");
        for bytes in
            [whole[..whole.len() * eighths / 8].to_vec(), pack(&whole)[..pack(&whole).len() * eighths / 8].to_vec()]
        {
            std::fs::write(&cut, bytes).unwrap();
            // Before the table of topics nothing can be said.
            let Ok(bag) = BagReader::open(&cut) else { continue };
            let mut messages = bag.messages();
            let count = messages.by_ref().count();
            assert_eq!(messages.damage().is_empty(), count == 400, "{:?}", messages.damage());
            counts.push(count);
        }
    }
    assert!(
        counts.len() > 4 && counts.contains(&400) && counts.iter().any(|count| (1..400).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn a_database_of_something_else_and_what_its_journal_holds_are_named() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("places.db3");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE topics(id INTEGER)").unwrap();
    assert!(refusal(&path).contains("without the tables of rosbag2"), "{}", refusal(&path));
    let path = scratch.path().join("bag.db3");
    let walk = walk(1);
    write_db3(&path, &walk);
    std::fs::write(scratch.path().join("bag.db3-wal"), "what was not yet moved").unwrap();
    let (read, damage) = pictures(&path);
    assert_eq!(read, times(&walk));
    assert!(damage.len() == 1 && damage[0].contains("bag.db3-wal"), "{damage:?}");
}

/// A folder with a database as a recorder leaves it that is killed, its last messages in the log.
fn write_killed(folder: &Path, early: &[Said], late: &[Said]) {
    let scratch = tempfile::tempdir().expect("a folder");
    let path = scratch.path().join("bag_0.db3");
    let database = rusqlite::Connection::open(&path).expect("a database");
    database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("a log");
    write_db3(&path, early);
    database.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).expect("moved");
    let insert = "INSERT INTO messages(topic_id, timestamp, data) VALUES (1, ?1, ?2)";
    for said in late {
        database.execute(insert, (said.nanos as i64, &said.data)).expect("a row");
    }
    for name in ["bag_0.db3", "bag_0.db3-wal"] {
        std::fs::copy(scratch.path().join(name), folder.join(name)).expect("a copy");
    }
}

#[test]
fn what_a_killed_recorder_left_in_its_log_is_read_and_nothing_written_beside_it() {
    let (early, late) = (walk(5), walk(6));
    let both = [early.clone(), late.clone()].concat();
    let scratch = tempfile::tempdir().unwrap();
    write_killed(scratch.path(), &early, &late);
    let path = scratch.path().join("bag_0.db3");
    for place in [scratch.path(), &path] {
        expect_whole(scratch.path(), place, &both);
    }
    // Without its log the rest is there, so the test does see the log.
    let alone = tempfile::tempdir().unwrap();
    std::fs::copy(&path, alone.path().join("bag_0.db3")).unwrap();
    expect_whole(alone.path(), alone.path(), &early);
}

#[test]
fn a_database_whose_tables_are_all_in_its_log_is_read() {
    let walk = walk(5);
    for main in [4096, 0] {
        let (made, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = made.path().join("bag_0.db3");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        // A connection that has read keeps the log.
        database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
        write_db3(&path, &walk);
        for name in ["bag_0.db3", "bag_0.db3-wal"] {
            std::fs::copy(made.path().join(name), scratch.path().join(name)).unwrap();
        }
        let copy = std::fs::File::options().write(true).open(scratch.path().join("bag_0.db3")).unwrap();
        assert_eq!(copy.metadata().unwrap().len(), 4096);
        copy.set_len(main).unwrap();
        expect_whole(scratch.path(), scratch.path(), &walk);
        // As after a power cut.
        std::fs::write(scratch.path().join("bag_0.db3"), vec![0; main as usize]).unwrap();
        expect_whole(scratch.path(), scratch.path(), &walk);
        // A log that can't be read is named where the tables are missing.
        let log = scratch.path().join("bag_0.db3-wal");
        std::fs::write(&log, "no log").unwrap();
        std::fs::copy(made.path().join("bag_0.db3"), scratch.path().join("bag_0.db3")).unwrap();
        let refusal = refusal(scratch.path());
        assert!(refusal.contains("without the tables") && refusal.contains("bag_0.db3-wal"), "{refusal}");
    }
}

#[test]
fn views_that_give_rows_without_end_are_no_tables() {
    let scratch = tempfile::tempdir().unwrap();
    let endless = "CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, 1 \
                   AS topic_id, 5 AS timestamp, x'00' AS data FROM n";
    let hidden =
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'table', rootpage = 2 WHERE name = 'messages'";
    for (name, batch) in [("view.db3", endless.to_owned()), ("hidden.db3", format!("{endless}; {hidden}"))] {
        let path = scratch.path().join(name);
        write_db3(&path, &walk(1));
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch("DROP TABLE messages").unwrap();
        database.execute_batch(&batch).unwrap();
        drop(database);
        let refusal = refusal(&path);
        assert!(refusal.contains("without the tables of rosbag2"), "{name}: {refusal}");
    }
}

#[test]
fn a_row_that_is_larger_than_any_message_costs_no_memory() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("bag.db3");
    write_db3(&path, &walk(1));
    let database = rusqlite::Connection::open(&path).unwrap();
    let huge = "ALTER TABLE messages RENAME COLUMN data TO small; ALTER TABLE messages ADD COLUMN data BLOB AS \
                (zeroblob(CASE id WHEN 2 THEN 600000000 ELSE 10 END))";
    database.execute_batch(huge).unwrap();
    drop(database);
    let bag = BagReader::open(&path).unwrap();
    let mut messages = bag.messages();
    assert_eq!(messages.by_ref().count(), 2);
    let damage: Vec<String> = messages.damage().iter().map(ToString::to_string).collect();
    assert!(damage.len() == 1 && damage[0].contains("too big"), "{damage:?}");
}

#[test]
fn fifos_are_refused_and_never_waited_for() {
    let scratch = tempfile::tempdir().unwrap();
    let fifo = |name: &str| {
        let path = scratch.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        path
    };
    for name in ["bag.mcap", "bag.db3"] {
        let refusal = refusal(&fifo(name));
        assert!(refusal.contains(name) && refusal.contains("a FIFO"), "{refusal}");
    }
    fifo("metadata.yaml");
    let walk = walk(1);
    write_mcap(&scratch.path().join("walk_0.mcap"), &walk);
    assert_eq!(pictures(scratch.path()), (times(&walk), Vec::new()));
    // A journal is no reason to wait, either.
    write_db3(&scratch.path().join("other.db3"), &walk);
    fifo("other.db3-wal");
    assert_eq!(pictures(&scratch.path().join("other.db3")), (times(&walk), Vec::new()));
}

//! A killed recorder and a full disk cost at most what was not flushed.

mod episode;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use episode::{MESSAGES_PER_FRAME, pixels};
use rand::RngExt;
use recording::messages::Image;
use recording::{BagReader, Damage};

/// The example, which `cargo test` builds beside this test.
fn recorder() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    let examples = test.parent().and_then(Path::parent).expect("target/<profile>/deps").join("examples");
    examples.join("record_episode")
}

fn start(folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(recorder())
        .args([folder.as_os_str(), "0".as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the built example");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    (child, lines)
}

/// Reads a bag whose frames come in order and are whole; returns its messages, and its damage.
fn read(folder: &Path) -> (u64, Vec<Damage>) {
    let bag = BagReader::open(folder).expect("a readable bag");
    let mut messages = bag.messages();
    let (mut count, mut frames) = (0, 0);
    for message in &mut messages {
        count += 1;
        if message.is::<Image<'_>>() {
            let image: Image<'_> = message.decode().expect("a whole image");
            assert_eq!(image.data, pixels(frames), "frame {frames}");
            frames += 1;
        }
    }
    // One message more: the fixed transforms.
    assert!(count <= u64::from(frames + 1) * MESSAGES_PER_FRAME + 1, "{count} messages, {frames} frames");
    assert_eq!(bag.topics().iter().map(|topic| topic.message_count).sum::<u64>(), count);
    (count, messages.damage().to_vec())
}

#[test]
fn a_recording_killed_at_random_moments_reads_up_to_its_last_flush() {
    let mut rng = rand::rng();
    for _ in 0..20 {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("bag");
        let (mut child, mut lines) = start(&folder);
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        std::thread::sleep(Duration::from_micros(rng.random_range(0..200_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        // The kill may cut the last line short.
        let whole = format!("{first}{rest}").rsplit_once('\n').map(|(whole, _)| whole.to_owned()).unwrap();
        let flushed: u64 = whole.lines().last().unwrap().parse().unwrap();
        assert!(!folder.join("metadata.yaml").exists());
        let (count, damage) = read(&folder);
        assert!(count >= flushed, "{count} messages read, {flushed} were flushed");
        assert_eq!(damage.len(), 1, "the end is missing, and that is said: {damage:?}");
        assert!(!folder.join("metadata.yaml").exists(), "reading writes nothing");
        assert_eq!(read(&folder).0, count);
    }
}

/// Runs `prepare && record_episode` in a shell; the recorder must end with an error value and leave what it flushed.
fn expect_an_error(shell: &[&str], prepare: &str, scratch: &Path) {
    let (folder, copy) = (scratch.join("disk/bag"), scratch.join("copy"));
    let script = format!("{prepare}; \"$0\" \"$1\" 0; code=$?; cp -r \"$1\" \"$2\"; exit $code");
    let (program, before) = shell.split_first().expect("a shell");
    let mut command = Command::new(program);
    command.args(before).args(["bash", "-c", &script]).args([&recorder(), &folder, &copy]);
    let output = command.output().expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(!errors.contains("panicked") && errors.contains("bag_0.mcap"), "{errors}");
    let printed = String::from_utf8_lossy(&output.stdout);
    let flushed: u64 = printed.lines().last().expect("something was flushed").parse().expect("a number");
    let (count, damage) = read(&copy);
    assert_eq!(count, flushed, "{errors}");
    assert_eq!(damage.len(), 1, "the end is missing, and that is said: {damage:?}");
    println!("{count} messages, then: {}", errors.trim());
}

#[test]
fn a_full_disk_ends_the_recording_with_an_error_and_leaves_what_was_flushed() {
    let scratch = tempfile::tempdir().unwrap();
    let disk = scratch.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let own_mounts = ["unshare", "--user", "--map-root-user", "--mount"];
    let mount = format!("mount -t tmpfs -o size=3m none '{}'", disk.display());
    let is_permitted = Command::new(own_mounts[0]).args(&own_mounts[1..]).args(["bash", "-c", &mount]).output();
    if is_permitted.is_ok_and(|output| output.status.success()) {
        expect_an_error(&own_mounts, &mount, scratch.path());
    } else {
        println!("SKIPPED: no file system can be mounted here");
    }
}

#[test]
fn a_limit_of_the_file_size_is_as_a_full_disk() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("disk")).unwrap();
    expect_an_error(&["env"], "ulimit -S -f 3000; trap '' XFSZ", scratch.path());
}

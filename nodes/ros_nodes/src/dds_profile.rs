//! Fast DDS's profile for pictures, where a node is started without one.
//!
//! By default a process of Fast DDS has 512 KiB of shared memory for what it sends, in which most pictures
//! get lost. The launch files set a profile with more; a node that was started by hand (`ros2 run`) starts
//! itself again with it, unless its user has chosen another one. What a driver in another process sends
//! depends on the driver's own profile.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Fast DDS reads its profile from; the second is the name of newer versions.
const VARIABLE: &str = "FASTRTPS_DEFAULT_PROFILES_FILE";
/// Any of these says that somebody has chosen how Fast DDS sends.
const CHOSEN: [&str; 3] = [VARIABLE, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS"];
/// Set for the process that is started again, and so never twice.
const OURS: &str = "SPACER_OWN_DDS_PROFILE";
/// What Fast DDS reads from the folder that a process is started in.
const LOCAL: &str = "DEFAULT_FASTDDS_PROFILES.xml";
/// Pictures from this size on get lost without the profile, bytes.
pub const LARGE_PICTURE_BYTES: usize = 512 << 10;

/// Starts the process again with the profile, where it is needed and found. Returns where it is not.
pub fn ensure() {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_chosen = CHOSEN.iter().any(|name| is_set(name)) || Path::new(LOCAL).exists();
    let other_dds =
        std::env::var("RMW_IMPLEMENTATION").is_ok_and(|name| !name.is_empty() && !name.contains("fastrtps"));
    if is_chosen || other_dds || is_set(OURS) {
        return;
    }
    let (Some(profile), Ok(executable)) = (profile(), std::env::current_exe()) else { return };
    let mut again = Command::new(executable);
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some((name, rest)) = arguments.split_first() {
        again.arg0(name).args(rest);
    }
    // Only returns where the process could not be started again: then it goes on as it is.
    let error = again.env(VARIABLE, &profile).env(OURS, "1").exec();
    tracing::warn!("large pictures may get lost; set {VARIABLE}={}: {error}", profile.display());
}

/// What to tell a user whose driver sends large pictures, where this node chose the profile itself: the
/// driver may lack it.
pub fn advice() -> Option<String> {
    let profile = std::env::var(VARIABLE).ok()?;
    std::env::var_os(OURS)?;
    Some(format!(
        "pictures of more than {} KiB get lost in Fast DDS's default shared memory: if too few arrive, set \
         {VARIABLE}={profile} in the shell of the camera's driver",
        LARGE_PICTURE_BYTES >> 10
    ))
}

/// The installed profile, or that of the source tree that the executable was built in.
fn profile() -> Option<PathBuf> {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let installed =
        std::env::split_paths(&prefixes).map(|prefix| prefix.join("share/spacer_bringup/config/fastdds.xml"));
    let executable = std::env::current_exe().ok()?;
    // target/debug/NODE
    let built = executable.ancestors().nth(3).map(|root| root.join("launch/config/fastdds.xml"));
    installed.chain(built).find(|path| path.is_file())
}

//! Where a calibration lies: paths and the URLs that drivers take as `camera_info_url`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// What locations are relative to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The user's folder, for `~`.
    pub home: Option<PathBuf>,
    /// ROS's own folder, for `${ROS_HOME}`; `~/.ros` where absent.
    pub ros_home: Option<PathBuf>,
    /// Where packages are installed, for `package://`: the folders of `AMENT_PREFIX_PATH`.
    pub prefixes: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
        Self {
            home: folder("HOME"),
            ros_home: folder("ROS_HOME"),
            prefixes: std::env::split_paths(&prefixes).filter(|prefix| !prefix.as_os_str().is_empty()).collect(),
        }
    }

    /// The file that `location` names: a path, `~/…`, `file://…` or `package://PACKAGE/…`.
    pub(super) fn path_of(&self, location: &str) -> anyhow::Result<PathBuf> {
        let location = self.with_ros_home(location.trim())?;
        match location.split_once("://") {
            None => self.with_home(&location),
            Some(("file", path)) if path.starts_with('~') => self.with_home(path),
            Some(("file", path)) => {
                // A file of this machine may name it.
                let path = path.strip_prefix("localhost").unwrap_or(path);
                if !path.starts_with('/') {
                    bail!("expected file:// and a path from the root (file:///home/…), found {location}");
                }
                Ok(path.into())
            }
            Some(("package", path)) => self.in_package(path),
            Some((scheme, _)) => bail!("expected a path, ~/…, file://… or package://…, found {scheme}://"),
        }
    }

    fn with_ros_home(&self, location: &str) -> anyhow::Result<String> {
        if !location.contains("${ROS_HOME}") {
            return Ok(location.to_owned());
        }
        let folder = self.ros_home.clone().or_else(|| Some(self.home.as_ref()?.join(".ros")));
        let folder = folder.context("${ROS_HOME}: expected ROS_HOME or HOME in the environment, found neither")?;
        Ok(location.replace("${ROS_HOME}", &folder.display().to_string()))
    }

    fn with_home(&self, path: &str) -> anyhow::Result<PathBuf> {
        match path.strip_prefix("~/") {
            Some(rest) => Ok(self.home.as_ref().context("~: expected HOME in the environment, found none")?.join(rest)),
            None => Ok(path.into()),
        }
    }

    fn in_package(&self, path: &str) -> anyhow::Result<PathBuf> {
        let Some((package, rest)) =
            path.split_once('/').filter(|(package, rest)| !package.is_empty() && !rest.is_empty())
        else {
            bail!("expected package://PACKAGE/path, found package://{path}");
        };
        let shares = self.prefixes.iter().map(|prefix| prefix.join("share").join(package));
        let share = shares.into_iter().find(|share| share.is_dir()).with_context(|| {
            let searched = self.prefixes.iter().map(|prefix| prefix.display().to_string());
            let searched = searched.collect::<Vec<_>>().join(":");
            format!(
                "package {package}: not installed in AMENT_PREFIX_PATH ({searched}); source its workspace's setup file"
            )
        })?;
        Ok(share.join(Path::new(rest)))
    }
}

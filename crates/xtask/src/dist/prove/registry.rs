//! The packages on a server of this machine, as PyPI and npm have them: the pages are files, and
//! Python's server gives them out.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::names;
use super::super::tools::Tools;

/// A server, which ends with this value.
pub(super) struct Registry {
    url: String,
    server: Child,
    folder: TempDir,
}

impl Registry {
    pub(super) fn start(tools: &Tools, packages: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let mut server = Command::new(tools.program("python"))
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"])
            .arg(folder.path())
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start the server of Python")?;
        let mut line = String::new();
        let out = server.stdout.take().context("the output of the server")?;
        BufReader::new(out).read_line(&mut line).context("read the address of the server")?;
        // `Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ...`
        let url = line.split_once('(').and_then(|(_, rest)| rest.split_once("/)"));
        let url = url.with_context(|| format!("no address in {line:?}"))?.0.to_owned();
        let registry = Self { url, server, folder };
        registry.fill(packages)?;
        Ok(registry)
    }

    /// The index of PyPI: a folder with the wheels, whose listing is the page.
    pub(super) fn simple(&self) -> String {
        format!("{}/simple/", self.url)
    }

    pub(super) fn npm(&self) -> String {
        format!("{}/npm/", self.url)
    }

    fn fill(&self, packages: &Path) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let wheels = folder.join("simple/sseproof");
        let (npm, files) = (folder.join("npm"), folder.join("files"));
        for folder in [&wheels, &npm.join("@sseproof"), &files] {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        for name in names(packages)? {
            let from = packages.join(&name);
            if name.ends_with(".whl") {
                fs::copy(&from, wheels.join(&name)).context("copy a wheel")?;
            } else if name.starts_with("npm-") {
                fs::copy(&from, files.join(&name)).context("copy a package")?;
                let (package, page) = self.page(&from, &name)?;
                fs::write(npm.join(package), page.to_string()).context("write a page")?;
            }
        }
        Ok(())
    }

    /// The name of the package, and what npm's registry says of it.
    fn page(&self, file: &Path, name: &str) -> anyhow::Result<(String, Value)> {
        let bytes = fs::read(file).with_context(|| format!("read {name}"))?;
        let mut manifest = manifest(&bytes).with_context(|| format!("read {name}"))?;
        let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
        let (package, version) = (text("name"), text("version"));
        let tarball = format!("{}/files/{name}", self.url);
        manifest["dist"] = json!({ "tarball": tarball });
        let versions = json!({ (&version): manifest });
        let page =
            json!({ "name": package, "dist-tags": { "latest": version }, "versions": versions });
        Ok((package, page))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// `package.json` in a package of npm.
fn manifest(bytes: &[u8]) -> anyhow::Result<Value> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.ends_with("package.json") {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            return Ok(serde_json::from_str(&text)?);
        }
    }
    anyhow::bail!("no package.json")
}

//! The ways to install the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::{Channel, Place, repository, shown};

pub(super) fn all(cargo: bool) -> impl Iterator<Item = Channel> {
    let channels = [
        Channel { name: "pip install", needs: "python3", install: pip, command: in_venv },
        Channel { name: "uvx", needs: "python3", install: nothing, command: uvx },
        Channel { name: "pipx run", needs: "python3", install: nothing, command: pipx },
        Channel { name: "npx", needs: "npx", install: nothing, command: npx },
        Channel { name: "npm install --global", needs: "npm", install: npm, command: of_npm },
        Channel { name: "the archive", needs: "tar", install: archive, command: of_archive },
        Channel { name: "the image", needs: "unshare", install: image, command: of_image },
    ];
    let install =
        Channel { name: "cargo install", needs: "cargo", install: compile, command: compiled };
    channels.into_iter().chain(cargo.then_some(install))
}

/// The command installs by itself.
fn nothing(_: &Place<'_>) -> anyhow::Result<()> {
    Ok(())
}

fn pip(place: &Place<'_>) -> anyhow::Result<()> {
    place.play("python3", &["-m", "venv", "venv"])?;
    let pip = place.folder.join("venv/bin/pip");
    place.play(pip, &["install", "--index-url", &place.registry.simple(), "sseproof"])
}

fn in_venv(place: &Place<'_>) -> anyhow::Result<Command> {
    place.command(place.folder.join("venv/bin/sseproof"))
}

fn uvx(place: &Place<'_>) -> anyhow::Result<Command> {
    let mut command = place.command("uvx")?;
    command.args(["--quiet", "--no-python-downloads", "--default-index", &place.registry.simple()]);
    command.arg("sseproof");
    Ok(command)
}

fn pipx(place: &Place<'_>) -> anyhow::Result<Command> {
    let mut command = place.command("pipx")?;
    command.args(["run", "--quiet", "--index-url", &place.registry.simple(), "sseproof"]);
    Ok(command)
}

fn npx(place: &Place<'_>) -> anyhow::Result<Command> {
    let mut command = place.command("npx")?;
    command.args(["--yes", "--registry", &place.registry.npm(), "sseproof"]);
    Ok(command)
}

fn npm(place: &Place<'_>) -> anyhow::Result<()> {
    let prefix = place.folder.join("global");
    let install = ["install", "--global", "--ignore-scripts", "--prefix", shown(&prefix)?];
    let from = ["--registry", &place.registry.npm(), "sseproof"];
    place.play("npm", &[&install[..], &from].concat())
}

fn of_npm(place: &Place<'_>) -> anyhow::Result<Command> {
    place.command(place.folder.join("global/bin/sseproof"))
}

/// The folder in the archive of this machine.
fn unpacked(place: &Place<'_>) -> PathBuf {
    let version = &place.release.version;
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    place.folder.join(format!("sseproof-{version}-{host}"))
}

fn archive(place: &Place<'_>) -> anyhow::Result<()> {
    let folder = unpacked(place);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let archive = place.package(&name, ".tar.gz")?;
    place.play("tar", &["-xzf", shown(&archive)?])
}

fn of_archive(place: &Place<'_>) -> anyhow::Result<Command> {
    place.command(unpacked(place).join("sseproof"))
}

/// Unpacks the layers of the image, as a container engine does.
fn image(place: &Place<'_>) -> anyhow::Result<()> {
    let layout = place.folder.join("layout");
    let archive = place.package("sseproof-", "-image.tar")?;
    let file = fs::File::open(&archive).context("open the image")?;
    tar::Archive::new(file).unpack(&layout).context("unpack the image")?;
    let content = |path: &str| {
        fs::read(layout.join(path)).with_context(|| format!("read {path} of the image"))
    };
    let json =
        |path: &str| -> anyhow::Result<Value> { Ok(serde_json::from_slice(&content(path)?)?) };
    let of_digest = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap_or_default().replace(':', "/");
        format!("blobs/{digest}")
    };
    let mut manifest = json(&of_digest(&json("index.json")?["manifests"][0]))?;
    if let Some(first) = manifest["manifests"].get(0) {
        manifest = json(&of_digest(first))?;
    }
    let Some(layers) = manifest["layers"].as_array() else { bail!("the image has no layers") };
    for layer in layers {
        let layer = content(&of_digest(layer))?;
        let mut layer = tar::Archive::new(GzDecoder::new(&*layer));
        layer.set_preserve_permissions(true);
        layer.unpack(container(place)).context("unpack a layer")?;
    }
    Ok(())
}

fn container(place: &Place<'_>) -> PathBuf {
    place.folder.join("root")
}

/// In a root that has nothing but the image, as another user.
fn of_image(place: &Place<'_>) -> anyhow::Result<Command> {
    let mut command = place.command("unshare")?;
    let root = container(place);
    command.args(["--user", "--map-root-user", "--mount", "--pid", "--fork"]);
    command.args(["--root", shown(&root)?, "--wd", "/work", "--", "/usr/bin/sseproof"]);
    Ok(command)
}

fn compile(place: &Place<'_>) -> anyhow::Result<()> {
    let source = repository().join("crates/sseproof");
    let install = ["install", "--locked", "--quiet", "--path", shown(&source)?, "--root", "cargo"];
    let target = place.folder.join("target");
    let mut command = place.command("cargo")?;
    // Its crates and compilers are those of this user; what it builds is not.
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = command.args(install).env("CARGO_TARGET_DIR", target).output()?;
    if !output.status.success() {
        bail!("{}", super::failure(&output));
    }
    Ok(())
}

fn compiled(place: &Place<'_>) -> anyhow::Result<Command> {
    place.command(place.folder.join("cargo/bin/sseproof"))
}

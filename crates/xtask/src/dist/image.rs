//! The image: an archive that is an OCI image layout and what `docker load` reads, at the same time.
//!
//! It has the program, the CA roots and nothing else: no shell and no packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::Texts;
use super::archive::{Entry, gzip, sha256, tar};
use super::build::Image;
use super::release::Release;

const USERS: &str = "root:x:0:0:root:/:/none\nsseproof:x:65532:65532:sseproof:/work:/none\n";
const GROUPS: &str = "root:x:0:\nsseproof:x:65532:\n";
/// For glibc.
const NAMES: &str = "hosts: files dns\n";

/// The archive of all images.
pub(super) fn archive(
    release: &Release,
    images: &[Image],
    roots: &[u8],
    texts: &Texts,
) -> anyhow::Result<Vec<u8>> {
    let mut blobs = Blobs::default();
    let (mut manifests, mut loaded) = (Vec::new(), Vec::new());
    for image in images {
        let layer = tar(files(image, roots, texts)?)?;
        let processor = image.processor;
        let config = config(release, processor, &sha256(&layer));
        let layer = blobs.add(&gzip(&layer)?, "application/vnd.oci.image.layer.v1.tar+gzip");
        let config = blobs.add_json(&config, "application/vnd.oci.image.config.v1+json")?;
        loaded.push(json!({
            "Config": path(&config), "Layers": [path(&layer)],
            "RepoTags": [format!("sseproof:{}", release.version)],
        }));
        let media = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media, "config": config, "layers": [layer],
        });
        let mut manifest = blobs.add_json(&manifest, media)?;
        manifest["platform"] = json!({ "architecture": processor, "os": "linux" });
        manifests.push(manifest);
    }
    // Several images have one index, which the tag names.
    let media = "application/vnd.oci.image.index.v1+json";
    let mut tagged = match manifests.as_slice() {
        [one] => one.clone(),
        _ => {
            let index = json!({ "schemaVersion": 2, "mediaType": media, "manifests": manifests });
            blobs.add_json(&index, media)?
        }
    };
    tagged["annotations"] = json!({ "org.opencontainers.image.ref.name": release.version });
    let index = json!({ "schemaVersion": 2, "mediaType": media, "manifests": [tagged] });
    // `docker load` takes one image for a name: that of the first processor.
    loaded.truncate(1);
    let mut entries = vec![
        Entry::file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        Entry::file("index.json", serde_json::to_vec(&index)?),
        Entry::file("manifest.json", serde_json::to_vec(&loaded)?),
    ];
    entries.extend(blobs.entries);
    tar(entries)
}

/// The root of the file system.
fn files(image: &Image, roots: &[u8], texts: &Texts) -> anyhow::Result<Vec<Entry>> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("read {}", path.display()));
    let mut entries = vec![
        Entry::file("etc/group", GROUPS.into()),
        Entry::file("etc/nsswitch.conf", NAMES.into()),
        Entry::file("etc/passwd", USERS.into()),
        Entry::file("etc/ssl/certs/ca-certificates.crt", roots.to_vec()),
        Entry::folder("tmp", 0o1777),
        Entry::program("usr/bin/sseproof", read(&image.program)?),
        // Any user may write reports where nothing is mounted.
        Entry::folder("work", 0o1777),
    ];
    for library in &image.libraries {
        let path = library.strip_prefix("/").unwrap_or(library).display().to_string();
        entries.push(Entry::program(&path, read(library)?));
    }
    entries.extend(texts.entries("usr/share/sseproof/"));
    let parents: BTreeSet<String> = entries.iter().flat_map(Entry::parents).collect();
    let folders = parents.iter().map(|path| Entry::folder(path, 0o755));
    Ok(folders.chain(entries).collect())
}

fn config(release: &Release, processor: &str, layer: &str) -> Value {
    let label = |name: &str| format!("org.opencontainers.image.{name}");
    let mut labels = json!({
        (label("title")): "sseproof",
        (label("description")): release.description,
        (label("version")): release.version,
        (label("licenses")): release.license,
    });
    if let Some(repository) = &release.repository {
        labels[label("source")] = json!(repository);
    }
    json!({
        "architecture": processor,
        "os": "linux",
        "config": {
            "User": "65532:65532",
            "Env": ["PATH=/usr/bin"],
            "Entrypoint": ["/usr/bin/sseproof"],
            "Cmd": ["--help"],
            "WorkingDir": "/work",
            "Labels": labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
        "history": [{ "created_by": "cargo xtask dist" }],
    })
}

/// Contents by their checksums.
#[derive(Default)]
struct Blobs {
    entries: Vec<Entry>,
}

impl Blobs {
    /// The descriptor of the content.
    fn add(&mut self, bytes: &[u8], media: &str) -> Value {
        let digest = format!("sha256:{}", sha256(bytes));
        let descriptor = json!({ "mediaType": media, "digest": digest, "size": bytes.len() });
        self.entries.push(Entry::file(&path(&descriptor), bytes.to_vec()));
        descriptor
    }

    fn add_json(&mut self, value: &Value, media: &str) -> anyhow::Result<Value> {
        Ok(self.add(&serde_json::to_vec(value)?, media))
    }
}

/// The path of the content in the archive.
fn path(descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    format!("blobs/{}", digest.replace(':', "/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn contents(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = ::tar::Archive::new(bytes);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (path, bytes)
        });
        entries.collect()
    }

    #[test]
    fn each_content_has_the_checksum_and_the_size_that_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let images = ["amd64", "arm64"].map(|processor| {
            let program = folder.path().join(processor);
            fs::write(&program, processor).unwrap();
            Image { processor, libraries: vec![program.clone()], program }
        });
        let texts = Texts { readme: vec![], licences: vec![], third_party: "x".to_owned() };
        let release = Release::read().unwrap();
        let image = archive(&release, &images, b"roots", &texts).unwrap();
        let files = contents(&image);
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path]).unwrap() };
        let follow = |descriptor: &Value| {
            let bytes = &files[&path(descriptor)];
            assert_eq!(descriptor["size"], json!(bytes.len()));
            assert_eq!(descriptor["digest"], json!(format!("sha256:{}", sha256(bytes))));
            bytes.clone()
        };
        let index: Value =
            serde_json::from_slice(&follow(&json("index.json")["manifests"][0])).unwrap();
        for (number, Image { processor, program, .. }) in images.iter().enumerate() {
            let descriptor = &index["manifests"][number];
            assert_eq!(descriptor["platform"]["architecture"], json!(processor));
            let manifest: Value = serde_json::from_slice(&follow(descriptor)).unwrap();
            let config: Value = serde_json::from_slice(&follow(&manifest["config"])).unwrap();
            let mut layer = Vec::new();
            let packed = follow(&manifest["layers"][0]);
            flate2::read::GzDecoder::new(&*packed).read_to_end(&mut layer).unwrap();
            let digest = json!(format!("sha256:{}", sha256(&layer)));
            assert_eq!(config["rootfs"]["diff_ids"], json!([digest]));
            let root = contents(&layer);
            let library = program.to_str().unwrap().trim_start_matches('/');
            assert_eq!(root["usr/bin/sseproof"], processor.as_bytes());
            assert_eq!(root[library], processor.as_bytes());
            assert_eq!(root["etc/ssl/certs/ca-certificates.crt"], b"roots");
        }
        let loaded = json("manifest.json");
        assert!(files.contains_key(loaded[0]["Config"].as_str().unwrap()));
        assert!(files.contains_key(loaded[0]["Layers"][0].as_str().unwrap()));
    }
}

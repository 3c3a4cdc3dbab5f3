# The formula of a tap, filled in by `cargo xtask dist` for a release.
class Sseproof < Formula
  desc "Proves a Server-Sent Events server right, or shows the byte where it is wrong"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/sseproof-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:aarch64-apple-darwin@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/sseproof-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/sseproof-@VERSION@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256:aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/sseproof-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256:x86_64-unknown-linux-gnu@"
    end
  end

  def install
    bin.install "sseproof"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/sseproof.bash" => "sseproof"
    fish_completion.install "completions/sseproof.fish"
    zsh_completion.install "completions/_sseproof"
  end

  test do
    assert_match "passed", shell_output("#{bin}/sseproof check --reference --quick 2>&1")
  end
end

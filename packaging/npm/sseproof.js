#!/usr/bin/env node
// Starts the program of this platform, which is in a package of its own: npm installs only the one
// that fits (`optionalDependencies`), and no script runs at the installation.
"use strict";

const { spawn } = require("node:child_process");

/** Whether this Node.js is linked with musl, as in Alpine Linux. */
function isMusl() {
  // Otherwise the report asks for the names of all addresses.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** The file of the program, if the package is installed. */
function inPackage(name) {
  try {
    return require.resolve(`${name}/bin/sseproof${process.platform === "win32" ? ".exe" : ""}`);
  } catch {
    return undefined;
  }
}

function program() {
  const name = `@sseproof/${process.platform}-${process.arch}`;
  const usual = inPackage(name);
  const musl = inPackage(`${name}-musl`);
  // Both are there if the package manager does not look at `libc` in package.json.
  return usual && musl ? (isMusl() ? musl : usual) : (usual ?? musl);
}

const file = program();
if (file === undefined) {
  console.error(
    `sseproof: no program for ${process.platform}-${process.arch} is installed.\n` +
      "Were optional dependencies left out (--omit=optional), or is node_modules of another platform?\n" +
      "Otherwise build it from its repository with cargo install --locked.",
  );
  process.exit(2);
}

const child = spawn(file, process.argv.slice(2), { stdio: "inherit" });
// The program ends by itself after a signal, with its report. A terminal sends its signals to the
// program, too, and a second one would end the program at once.
const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) {
  process.on(signal, () => {
    if (signal === "SIGTERM" || !isTerminal) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`sseproof: cannot start ${file}: ${error.message}`);
  process.exit(2);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  // Ends as the program did.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

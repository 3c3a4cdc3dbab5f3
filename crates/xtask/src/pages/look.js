"use strict";
// Looks at HTML pages: node look.js FOLDER CHROMIUM PAGE...
// FOLDER has the packages html-validate, axe-core and playwright-core.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { createRequire } = require("node:module");

const [folder, executablePath, ...files] = process.argv.slice(2);
const load = createRequire(path.join(folder, "look.js"));
const { chromium } = load("playwright-core");
const { HtmlValidate } = load("html-validate");
const axe = fs.readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");

const problems = [];
const name = (file) => path.relative(folder, file);
const found = (file, what) => problems.push(`${name(file)}: ${what}`);

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  // The id of a rule has a slash, and is the anchor of its failure.
  rules: { "valid-id": ["error", { relaxed: true }] },
});

async function validate(file) {
  const report = await validator.validateString(fs.readFileSync(file, "utf8"));
  for (const { messages } of report.results)
    for (const { line, column, message, ruleId } of messages)
      found(file, `${line}:${column} ${message} (${ruleId})`);
}

// Opens the page, and reports all that it does besides showing itself.
async function open(browser, file, origin, options, look) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const url = `${origin}/${name(file)}`;
  page.on("request", (request) => {
    if (request.url() !== url) found(file, `requests ${request.url()}`);
  });
  page.on("console", (message) => found(file, `writes to the console: ${message.text()}`));
  page.on("pageerror", (error) => found(file, `throws ${error.message}`));
  page.on("dialog", (dialog) => {
    found(file, `shows a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url);
  await look(page);
  await context.close();
}

const scripts = "document.querySelectorAll('script').length";
const handlers = `[...document.querySelectorAll("*")].filter((one) =>
  [...one.attributes].some(({ name }) => name.startsWith("on") || name === "style" || name === "src")
).length`;

async function look(browser, file, origin) {
  const expected = "sseproof: ";
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      const options = { colorScheme, viewport: { width, height: 900 } };
      await open(browser, file, origin, options, async (page) => {
        if (!(await page.title()).includes(expected)) found(file, `has another title`);
        if ((await page.evaluate(scripts)) !== 1) found(file, "has another script");
        const wide = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (wide > 0) found(file, `is ${wide} px too wide for ${width} px`);
      });
      // The policy of the page forbids the script of axe.
      await open(browser, file, origin, { ...options, bypassCSP: true }, async (page) => {
        await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
        await page.evaluate(axe);
        const { violations } = await page.evaluate("axe.run()");
        for (const { id, help, nodes } of violations)
          found(file, `${colorScheme}, ${width} px: ${id}, ${help}: ${nodes[0].html.slice(0, 200)}`);
      });
    }
  }
  await open(browser, file, origin, { javaScriptEnabled: false }, async (page) => {
    if (!(await page.locator("h1").isVisible())) found(file, "is empty without JavaScript");
  });
  // Even without its policy, nothing of the text runs.
  await open(browser, file, origin, { bypassCSP: true }, async (page) => {
    const bad = await page.evaluate(handlers);
    // The tooltip of the script has a style.
    if (bad > 0) found(file, `${bad} elements have a handler, a style or a source`);
    await page.waitForTimeout(100);
  });
}

(async () => {
  const server = http.createServer((request, response) => {
    const file = files.find((one) => `/${name(one)}` === request.url);
    if (!file) problems.push(`a page requests ${request.url}`);
    response.writeHead(file ? 200 : 404, { "content-type": "text/html" });
    response.end(file ? fs.readFileSync(file) : "");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    for (const file of files) {
      await validate(file);
      await look(browser, file, origin);
      console.log(`looked at ${name(file)}`);
    }
  } finally {
    await browser.close();
    server.close();
  }
  problems.forEach((problem) => console.log(`✗ ${problem}`));
  console.log(`${files.length} pages, ${problems.length} problems`);
  process.exitCode = problems.length ? 1 : 0;
})();

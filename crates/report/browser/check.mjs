// Looks at a report in a real browser: every view at 1280 and 390 pixels, light and dark; fails on anything that the
// page asks for beside itself, on any error it logs, on a view wider than the screen, and on what axe-core calls serious
// or critical. Screenshots go to a folder, to be looked at by a person.
//
//   npm install --no-save axe-core puppeteer-core
//   node crates/report/browser/check.mjs report.html screenshots
//
// CHROMIUM names the browser (default: chromium).
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "check.mjs"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [file, folder = "screenshots"] = process.argv.slice(2);
if (!file) throw new Error("usage: check.mjs REPORT.html [FOLDER]");
mkdirSync(folder, { recursive: true });
const page_url = pathToFileURL(resolve(file)).href;
const executablePath = execFileSync("which", [process.env.CHROMIUM || "chromium"]).toString().trim();

const VIEWS = ["", "alerts", "alert/0", "incidents", "incident/0", "entities", "entity/0", "timeline", "rules", "coverage", "sources", "changes"];
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
let failures = 0;
const fail = (text) => { failures += 1; console.log("FAIL " + text); };

for (const [width, height] of [[1280, 900], [390, 844]]) {
  for (const scheme of ["light", "dark"]) {
    const page = await browser.newPage();
    await page.setViewport({ width, height, isMobile: width < 600, hasTouch: width < 600 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    page.on("request", (request) => { if (![page_url, "data:,"].includes(request.url().split("#")[0])) fail("asked for " + request.url()); });
    page.on("console", (message) => { if (message.type() === "error") fail(message.text()); });
    page.on("pageerror", (error) => fail(String(error)));
    page.on("dialog", async (dialog) => { fail("a dialog: " + dialog.message()); await dialog.dismiss(); });
    const started = Date.now();
    await page.goto(page_url, { waitUntil: "load" });
    await page.waitForSelector("h1");
    const times = await page.evaluate(() => {
      const [entry] = performance.getEntriesByType("navigation");
      const paint = performance.getEntriesByName("first-contentful-paint")[0];
      return { load: Math.round(entry.loadEventEnd), paint: paint && Math.round(paint.startTime) };
    });
    console.log(`${width} ${scheme}: opened in ${Date.now() - started} ms (load ${times.load} ms, first paint ${times.paint} ms)`);
    for (const view of VIEWS) {
      const before = Date.now();
      await page.evaluate((hash) => { location.hash = hash; }, "#/" + view);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const took = Date.now() - before;
      const wide = await page.evaluate((width) => document.documentElement.scrollWidth - width, width);
      if (wide > 0) fail(`${width} ${scheme} #/${view} is ${wide} px wider than the screen`);
      await page.screenshot({ path: join(folder, `${width}-${scheme}-${view.replace("/", "-") || "overview"}.png`) });
      if (view === "alerts" && width === 1280 && scheme === "light") {
        const filtered = Date.now();
        await page.type("input[type=search]", "actor-7");
        await page.waitForFunction(() => document.querySelector(".count").textContent.includes(" of "), { timeout: 5000 }).catch(() => {});
        console.log(`filtered after ${Date.now() - filtered} ms: ${await page.$eval(".count", (node) => node.textContent)}`);
      }
      // Axe is run by the browser's own channel: the page's policy lets no foreign script in.
      const client = await page.createCDPSession();
      await client.send("Page.setBypassCSP", { enabled: true });
      await client.send("Runtime.evaluate", { expression: axe });
      const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const violation of result.violations) {
        const line = `${width} ${scheme} #/${view} ${violation.impact} ${violation.id}: ${violation.nodes.length} × ${violation.nodes[0].html.slice(0, 160)} ${violation.nodes[0].failureSummary.replaceAll("\n", " ").slice(0, 200)}`;
        if (["serious", "critical"].includes(violation.impact)) fail(line); else console.log("note " + line);
      }
      await client.detach();
      if (took > 1000) fail(`${width} ${scheme} #/${view} took ${took} ms`);
    }
    await page.close();
  }
}
await browser.close();
console.log(failures ? failures + " failures" : "nothing serious");
process.exit(failures ? 1 : 0);

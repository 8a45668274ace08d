// axe over every page, light and dark: `node axe.mjs PAGES` fails on serious and critical findings.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { browser, pages, serve } from "./browser.mjs";

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node axe.mjs PAGES");
  process.exit(2);
}
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const site = await serve(folder);
const chromium = await browser();
const all = (await pages(folder)).filter((page) => !page.name.startsWith("mail-") || /^mail-\d/.test(page.name));
const found = new Map();
for (const colorScheme of ["light", "dark"]) {
  const context = await chromium.newContext({ viewport: { width: 390, height: 800 }, colorScheme, bypassCSP: true });
  const tab = await context.newPage();
  // The form_post page would leave before it could be looked at.
  await tab.addInitScript(() => { HTMLFormElement.prototype.submit = () => {}; });
  for (const page of all) {
    await tab.goto(site.address + page.path);
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate(() =>
      globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const violation of violations) note(violation, `${page.locale}/${page.name} (${colorScheme})`);
  }
  await context.close();
}
await chromium.close();
site.close();

function note({ id, impact, help, nodes }, where) {
  const entry = found.get(id) ?? { impact, help, places: new Set(), example: nodes[0] };
  entry.places.add(where);
  found.set(id, entry);
}

let failed = false;
for (const [id, { impact, help, places, example }] of found) {
  failed ||= impact === "serious" || impact === "critical";
  console.log(`${impact} ${id}: ${help}\n  ${places.size} pages, such as ${[...places].slice(0, 4).join(", ")}`);
  console.log(`  ${example.html.slice(0, 200)}\n  ${example.failureSummary.replaceAll("\n", "\n  ")}`);
}
console.log(`${all.length} pages looked at twice, ${found.size} kinds of findings`);
process.exit(failed ? 1 : 0);

// The picture of the README: `node readme.mjs PAGES OUT.png`, four pages, light above dark.
import { writeFile } from "node:fs/promises";
import { browser, serve } from "./browser.mjs";

const [folder, out] = process.argv.slice(2);
const names = ["identify-0", "password-1", "code-0", "consent-0"];
const site = await serve(folder);
const chromium = await browser();
const rows = [];
for (const colorScheme of ["light", "dark"]) {
  const context = await chromium.newContext({ viewport: { width: 500, height: 640 }, colorScheme, deviceScaleFactor: 1 });
  const tab = await context.newPage();
  const row = [];
  for (const name of names) {
    await tab.goto(`${site.address}/en/${name}.html`);
    row.push((await tab.screenshot()).toString("base64"));
  }
  rows.push(row);
  await context.close();
}
const tab = await chromium.newPage({ viewport: { width: 2000, height: 1280 } });
const image = (data) => `<img src="data:image/png;base64,${data}" style="display:block">`;
await tab.setContent(`<body style="margin:0">${rows.map((row) => `<div style="display:flex">${row.map(image).join("")}</div>`).join("")}`);
await writeFile(out, await tab.screenshot({ fullPage: true }));
await chromium.close();
site.close();

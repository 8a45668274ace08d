// Contact sheets of every page: `node sheet.mjs PAGES OUT [FILTER]` writes one PNG for each language,
// width (phone, desktop) and scheme (light, dark) into OUT.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { browser, pages, serve } from "./browser.mjs";

const [folder, out, filter = ""] = process.argv.slice(2);
if (!out) {
  console.error("usage: node sheet.mjs PAGES OUT [FILTER]");
  process.exit(2);
}
const sizes = { phone: { width: 390, height: 700, columns: 12 }, desktop: { width: 1280, height: 800, columns: 6 } };
const scale = 0.4;

await mkdir(out, { recursive: true });
const site = await serve(folder);
const chromium = await browser();
const all = (await pages(folder)).filter((page) => page.name.includes(filter));
const faults = [];
for (const locale of new Set(all.map((page) => page.locale))) {
  for (const [device, size] of Object.entries(sizes)) {
    for (const colorScheme of ["light", "dark"]) {
      await sheet(locale, device, size, colorScheme);
    }
  }
}
await chromium.close();
site.close();
for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);

async function sheet(locale, device, size, colorScheme) {
  const name = [locale, device, colorScheme].join("-");
  const context = await chromium.newContext({ viewport: size, colorScheme, deviceScaleFactor: 1 });
  const tab = await context.newPage();
  tab.on("console", (message) => {
    const blocked = message.text().includes("Content Security Policy") && !tab.url().includes("form-post");
    if (blocked) faults.push(`${name} ${tab.url()}: ${message.text()}`);
  });
  const shots = [];
  for (const page of all.filter((page) => page.locale === locale)) {
    await tab.goto(site.address + page.path);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) faults.push(`${name} ${page.name}: ${wide} px wider than the window`);
    const image = await tab.screenshot({ fullPage: device === "phone", scale: "device" });
    shots.push({ name: page.name, data: image.toString("base64") });
  }
  await context.close();
  await writeFile(join(out, `${name}.png`), await assemble(shots, size, colorScheme));
  console.log(`${join(out, name)}.png: ${shots.length} pages`);
}

async function assemble(shots, size, colorScheme) {
  const width = size.width * scale;
  const figures = shots.map(({ name, data }) =>
    `<figure><figcaption>${name}</figcaption><img width="${width}" src="data:image/png;base64,${data}"></figure>`);
  const tab = await chromium.newPage({ viewport: { width: Math.round((width + 16) * size.columns + 16), height: 800 } });
  await tab.setContent(`<!doctype html><style>
    body { margin: 8px; display: grid; grid-template-columns: repeat(${size.columns}, max-content); align-items: start; background: ${colorScheme === "dark" ? "#000" : "#d5d5d5"};
      font: 11px sans-serif; color: ${colorScheme === "dark" ? "#ccc" : "#333"} }
    figure { margin: 0; padding: 8px } img { display: block; margin-top: 4px }
  </style>${figures.join("")}`);
  const image = await tab.screenshot({ fullPage: true });
  await tab.close();
  return image;
}

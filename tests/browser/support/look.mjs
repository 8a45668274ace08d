// What is expected of every page: axe finds nothing serious in light and dark, and nothing has to be
// scrolled sideways at 320 pixels. KEYWARD_SHOTS names a folder for a picture of each.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.KEYWARD_SHOTS;
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Looks at the present page closely; `name` is for the pictures and the complaints. */
export async function look(page, name) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than a window of 320 px`);
  await page.setViewportSize(size);
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate((values) => globalThis.axe.run({ runOnly: values }), tags);
    const found = violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
    if (shots) await pictures(page, `${name}-${colorScheme}`);
  }
  await page.setViewportSize(size);
}

async function pictures(page, name) {
  for (const [device, width] of [["phone", 390], ["desktop", 1280]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.screenshot({ path: join(shots, `${name}-${device}.png`), fullPage: true });
  }
}

/** After a refusal: the title says so, and the field in question has the focus, visibly. */
export async function refused(page, field) {
  await page.locator(`#field-${field}[aria-invalid="true"]`).waitFor();
  assert.match(await page.title(), /^Error: /);
  const focus = await page.evaluate(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return { id: document.activeElement.id, seen: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none" };
  });
  assert.deepEqual(focus, { id: `field-${field}`, seen: true });
  const described = await page.locator(`#field-${field}`).getAttribute("aria-describedby");
  assert.ok(described.split(" ").includes(`field-${field}-error`), "the field is described by its error");
  assert.notEqual((await page.locator(`#field-${field}-error`).innerText()).trim(), "");
}

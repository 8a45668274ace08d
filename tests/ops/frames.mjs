// A person in Chromium: signs in for an application, whose page watches the session in a frame
// (OpenID Connect Session Management), and signs out, which loads the application's logout frame.
// Reads its task as JSON from stdin, writes what it saw as JSON.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const { chromium } = createRequire(new URL("../browser/", import.meta.url))("playwright-core");
const task = JSON.parse(await text(process.stdin));
// A profile that lets frames of other sites have their cookies; without them no state can be watched.
const profile = await mkdtemp(join(tmpdir(), "keyward-profile-"));
await mkdir(join(profile, "Default"));
const allowed = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(allowed));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"], ignoreHTTPSErrors: true, locale: "en",
});
context.setDefaultTimeout(15_000);
const faults = [];
context.on("weberror", (error) => faults.push(String(error.error())));
const saw = { faults };

const page = await context.newPage();
page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
await page.goto(task.request);
await page.fill("[name=identifier]", task.email);
await page.click("#continue");
await page.fill("main [name=password]", task.password);
await page.click("#continue");
await page.click("#allow");
await page.waitForURL(`${task.shop}/cb?**`);
const answer = new URL(page.url()).searchParams;
const state = answer.get("session_state");
const ask = (message) => page.evaluate((value) => globalThis.ask(value), message);
saw.signed_in = await ask(`${task.client_id} ${state}`);
saw.foreign_state = await ask(`somebody-else ${state}`);
saw.malformed = await ask("nonsense");

const tokens = await fetch(`${task.issuer}/token`, {
  method: "POST",
  headers: { authorization: `Basic ${btoa(`${task.client_id}:${task.client_secret}`)}` },
  body: new URLSearchParams({ grant_type: "authorization_code", code: answer.get("code"), redirect_uri: `${task.shop}/cb` }),
}).then((response) => response.json());
saw.sid = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url")).sid;

const tab = await context.newPage();
const query = new URLSearchParams({
  id_token_hint: tokens.id_token, post_logout_redirect_uri: `${task.shop}/bye`, state: "there",
});
await tab.goto(`${task.issuer}/logout?${query}`);
await tab.waitForURL(`${task.shop}/bye?**`);
saw.back_at = tab.url();
saw.signed_out = await ask(`${task.client_id} ${state}`);
await context.close();
await rm(profile, { recursive: true, force: true, maxRetries: 20 });
console.log(JSON.stringify(saw));

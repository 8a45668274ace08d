// Chromium, and the person in front of it: what they do is written as they would say it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const launch = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
};

/** Starts Chromium. */
export function openBrowser() {
  return chromium.launch(launch);
}

/** A Chromium that keeps no cookies: what `act` does with its context. */
export async function withoutCookies(act) {
  const profile = await mkdtemp(join(tmpdir(), "keyward-profile-"));
  await mkdir(join(profile, "Default"));
  const refused = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(refused));
  const context = await chromium.launchPersistentContext(profile, { ...launch, locale: "en" });
  await act(context);
  await context.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 20 });
}

/** Somebody with a browser of their own. What their pages do wrong is collected in `faults`. */
export class Visitor {
  faults = [];

  static async come(browser, server, options = {}) {
    const context = await browser.newContext({ locale: "en", ...options });
    return Visitor.in(context, server, options.locale);
  }

  static async in(context, server, locale = "en") {
    context.setDefaultTimeout(15_000);
    const visitor = new Visitor();
    Object.assign(visitor, { context, server, locale });
    context.on("page", (page) => visitor.#watch(page));
    visitor.page = await context.newPage();
    return visitor;
  }

  #watch(page) {
    const fault = (what) => this.faults.push(`${page.url()}: ${what}`);
    page.on("pageerror", (error) => fault(`script: ${error.message}`));
    page.on("console", (message) => {
      // A refused form is answered with 4xx, which Chromium writes to the console.
      const refusal = /^Failed to load resource: .* status of 4\d\d/.test(message.text());
      // A picture of the tab may still be on its way when a test ends the server.
      const away = this.server.wasDown && /^Failed to load resource: net::ERR_/.test(message.text());
      const expected = away || (refusal && !message.location().url.includes("/assets/"));
      if (["error", "warning"].includes(message.type()) && !expected) {
        fault(`console: ${message.text()}`);
      }
    });
    page.on("request", (request) => {
      const { protocol, hostname, port } = new URL(request.url());
      const foreign = protocol.startsWith("http") && (hostname !== "127.0.0.1" || Number(port) !== this.server.port);
      if (foreign && !request.isNavigationRequest()) fault(`asks a third party: ${request.url()}`);
    });
  }

  /** Nothing was wrong with any page so far. */
  content() {
    assert.deepEqual(this.faults, []);
  }

  async go(path) {
    await this.page.goto(path.startsWith("http") ? path : this.server.base + path);
  }

  /** The page of this step is there, in the visitor's language. */
  async at(step, page = this.page) {
    try {
      await page.locator(`main[data-step="${step}"]`).waitFor();
    } catch {
      throw new Error(`expected ${step} at ${page.url()}, which shows:\n${await page.locator("body").innerText()}`);
    }
    const html = page.locator("html");
    assert.equal(await html.getAttribute("lang"), this.locale);
    assert.equal(await html.getAttribute("dir"), this.locale === "ar" ? "rtl" : "ltr");
  }

  /** What the page is. */
  step(page = this.page) {
    return page.locator("main").getAttribute("data-step");
  }

  /** Fills fields by name and presses the main button. */
  async send(fields, page = this.page) {
    for (const [name, value] of Object.entries(fields)) {
      await page.locator(`main [name="${name}"]:not([type="hidden"])`).fill(value);
    }
    await page.click("#continue");
  }

  /** Follows a link by the end of its address, whatever its query. */
  async follow(path, page = this.page) {
    await page.locator(`main a[href$="${path}"], main a[href*="${path}?"]`).first().click();
  }

  /** The code of the next mail to this address. */
  async code(to) {
    const mail = await this.server.mail(to);
    assert.match(mail.code, /^\d{6}$/);
    return mail.code;
  }

  /** Registers from the page that asks for an address on. */
  async register(person) {
    await this.at("register");
    await this.send({ email: person.email });
    await this.at("code");
    await this.send({ code: await this.code(person.email) });
    await this.at("details");
    const { name, username, password } = person;
    await this.send({ ...(name && { name }), ...(username && { username }), password });
  }

  /** Signs in from the page that asks who it is on. */
  async signIn(identifier, password) {
    await this.at("identify");
    await this.send({ identifier });
    await this.at("password");
    await this.send({ password });
  }

  /** The subject that a demo application knows this person by. */
  async subject(page = this.page) {
    await this.at("demo", page);
    return page.locator("#sub").innerText();
  }
}

let people = 0;
/** Somebody new. */
export function somebody(more = {}) {
  people += 1;
  const username = `person-${process.pid}-${people}`;
  return { email: `${username}@example.com`, password: "seven quiet otters swim", name: "Robin Meadow", ...more };
}

/** Somebody who has an account already. */
export async function customer(server, more) {
  const person = somebody(more);
  const { email, username, password, name } = person;
  const user = { email, email_verified: true, username, password, claims: { name } };
  await server.apply({ tenants: [{ slug: "default", users: [user] }] });
  return person;
}

// What the pages show of the application that sent somebody: logo, policy and terms, in its language, with its hint.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Application } from "./support/application.mjs";
import { Visitor, customer, openBrowser } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64",
);
let server, browser, partner, plain, logos, asked = [];
before(async () => {
  [server, browser] = await Promise.all([Server.start(), openBrowser()]);
  logos = createServer((request, response) => {
    asked.push(request);
    if (request.url === "/logo.png") response.setHeader("content-type", "image/png").end(picture);
    else response.setHeader("content-type", "image/svg+xml").end("<svg xmlns='http://www.w3.org/2000/svg'/>");
  });
  await new Promise((ready) => logos.listen(0, "127.0.0.1", ready));
  logos.unref();
  const home = `http://127.0.0.1:${logos.address().port}`;
  partner = await Application.start(server, "partner");
  plain = await Application.start(server, "plain");
  const of = ({ client_id, redirect_uri }, more) =>
    ({ client_id, name: "Partner", client_secret: "s3cret3", redirect_uris: [redirect_uri], first_party: false, ...more });
  const links = { policy_uri: "https://partner.example/policy", tos_uri: "https://partner.example/terms" };
  await server.apply({ tenants: [{ slug: "default", applications: [
    of(partner, { logo_uri: `${home}/logo.png`, ...links }), of(plain, { logo_uri: `${home}/logo.svg` }),
  ] }] });
});
after(() => Promise.all([browser?.close(), server?.close(), partner?.close(), plain?.close()]));

for (const javaScriptEnabled of [true, false]) {
  test(`logo, policy and terms on the first page and at consent ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    const person = await customer(server);
    const visitor = await Visitor.come(browser, server, { javaScriptEnabled });
    const { page } = visitor;
    const shown = async () => {
      const logo = page.locator("#client-logo");
      const source = await logo.getAttribute("src");
      assert.match(source, /^\/logo\//, "from our own origin");
      const answer = await fetch(server.base + source);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), picture);
      await logo.waitFor({ state: "visible" });
      assert.equal(await page.locator("#client-policy").getAttribute("href"), "https://partner.example/policy");
      assert.equal(await page.locator("#client-terms").getAttribute("href"), "https://partner.example/terms");
    };
    await visitor.go(partner.request().location);
    await visitor.at("identify");
    await shown();
    await visitor.signIn(person.email, person.password);
    await visitor.at("consent");
    await shown();
    assert.ok(asked.every(({ headers }) => headers["user-agent"] === "Keyward"), "no browser went there");
    visitor.content();
    await visitor.context.close();
  });
}

test("a logo that is no picture leaves the page as it is", async () => {
  const visitor = await Visitor.come(browser, server);
  await visitor.go(plain.request().location);
  await visitor.at("identify");
  const source = await visitor.page.locator("#client-logo").getAttribute("src");
  const answer = await fetch(server.base + source);
  assert.equal(answer.headers.get("content-type"), "image/gif");
  await visitor.go(plain.request().location);
  await visitor.at("identify");
  assert.equal(await visitor.page.locator("#client-logo").count(), 0);
  visitor.content();
  await visitor.context.close();
});

test("ui_locales, display and login_hint are taken up", async () => {
  const visitor = await Visitor.come(browser, server);
  const { page } = visitor;
  visitor.locale = "de";
  for (const display of ["page", "popup", "touch", "wap"]) {
    await visitor.go(`${partner.request().location}&ui_locales=tlh%20de&display=${display}`);
    await visitor.at("identify");
  }
  await visitor.go(`${partner.request().location}&ui_locales=ar&login_hint=alice%40example.com`);
  visitor.locale = "ar";
  await visitor.at("password");
  assert.match(await page.locator(".chip").innerText(), /alice@example\.com/);
  visitor.content();
  await visitor.context.close();
});

// Every page that a customer comes by, looked at closely; the script errors, violations of the policy
// and requests to others are watched by the visitor.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Application } from "./support/application.mjs";
import { Visitor, customer, openBrowser, somebody } from "./support/browser.mjs";
import { look, refused } from "./support/look.mjs";
import { Server } from "./support/server.mjs";

/** Names that are longer than a narrow page. */
const long = {
  email: "an-address-that-somebody-really-has-and-types@of-a-domain-that-is-hardly-any-shorter.example.com",
  name: "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
};

let server, browser;
before(async () => ([server, browser] = await Promise.all([Server.start(), openBrowser()])));
after(() => Promise.all([browser?.close(), server?.close()]));

for (const locale of ["en", "ar"]) {
  test(`the pages of registering and signing in, ${locale}`, async () => {
    const visitor = await Visitor.come(browser, server, { locale });
    const { page } = visitor;
    const person = somebody();
    const see = async (step, what = step) => {
      await visitor.at(step);
      await look(page, `${locale}-${what}`);
    };
    // The error of a field is said in other words in each language, but marked the same way.
    const wrong = locale === "en" ? (field) => refused(page, field) : (field) => page.locator(`#field-${field}[aria-invalid]`).waitFor();

    await visitor.go("/demo");
    await see("demo", "demo-before");
    await visitor.follow("/demo/register");
    await see("register");
    await visitor.send({ email: "nobody" });
    await wrong("email");
    await see("register", "register-refused");
    await visitor.send({ email: person.email });
    await see("code");
    const code = await visitor.code(person.email);
    await visitor.send({ code: code === "000000" ? "000001" : "000000" });
    await wrong("code");
    await see("code", "code-refused");
    await visitor.send({ code });
    await see("details");
    await visitor.send({ username: "?", password: "short" });
    await wrong("username");
    await visitor.send({ username: "", password: "password1" });
    await wrong("password");
    await see("details", "details-refused");
    await visitor.send({ name: person.name, password: person.password });
    await see("demo", "demo-signed-in");
    await page.click("#sign-out");
    await page.locator("#continue").click();
    await see("identify");
    await visitor.send({ identifier: "" });
    await wrong("identifier");
    await see("identify", "identify-refused");
    await visitor.send({ identifier: person.email });
    await see("password");
    await visitor.send({ password: "not this one" });
    await wrong("password");
    await see("password", "password-refused");
    await visitor.follow("/recover");
    await see("recover");
    await visitor.send({ identifier: person.email });
    await visitor.at("code");
    const { links } = await server.mail(person.email);
    await visitor.go(links[0]);
    await see("link");
    await page.click("#continue");
    await see("new-password");
    await visitor.send({ password: "eight loud herons rest" });
    await visitor.at("demo");
    await visitor.go("/dev/mail");
    await see("mailbox");
    await page.locator("ul.tiles a").first().click();
    await see("mail");
    visitor.content();
    await visitor.context.close();
  });
}

test("the pages of the account, of somebody with long names", async () => {
  const person = await customer(server, long);
  const visitor = await Visitor.come(browser, server);
  const { page } = visitor;
  await visitor.go("/signin");
  await visitor.signIn(person.email, person.password);
  for (const step of ["account", "profile", "sessions", "applications", "activity"]) {
    await visitor.go(step === "account" ? "/account" : `/account/${step}`);
    await visitor.at(step);
    await look(page, `account-${step}`);
  }
  const changes = [["password", "change-password", "password"], ["email", "change-email", "email"], ["delete", "delete", "password"]];
  for (const [path, step, field] of changes) {
    await visitor.go(`/account/${path}`);
    await visitor.at(step);
    await visitor.send({});
    await refused(page, field);
    await look(page, `account-${step}-refused`);
  }
  await visitor.go("/logout");
  await visitor.at("logout");
  await look(page, "logout");
  await page.click("#confirm");
  await page.locator("#signed-out").waitFor();
  await look(page, "signed-out");
  visitor.content();
  await visitor.context.close();
});

test("consent, the account chooser, and pages that only say no", async () => {
  const [person, friend] = [await customer(server, { ...long, email: `x${long.email}` }), await customer(server)];
  const partner = await Application.start(server, "partner");
  const { client_id, redirect_uri } = partner;
  const application = { client_id, name: "Partner", client_secret: "s3cret3", redirect_uris: [redirect_uri], first_party: false };
  await server.apply({ tenants: [{ slug: "default", applications: [application] }] });
  const visitor = await Visitor.come(browser, server);
  const { page } = visitor;
  await visitor.go("/signin");
  await visitor.signIn(person.email, person.password);
  await visitor.at("account");
  await visitor.go(partner.request("offline_access address phone email profile openid").location);
  await visitor.at("consent");
  assert.deepEqual((await page.locator(".grants b").allInnerTexts()).slice(0, 3), [
    "Know who you are", "See your profile", "See your e-mail address",
  ]);
  await look(page, "consent");
  await page.click("#deny");
  await page.waitForURL(`${partner.home}/**`);

  // A second person in the same browser: one chooses.
  await visitor.go(`${partner.request().location}&prompt=login`);
  await visitor.at("password");
  await page.getByText("Not you?").click();
  await visitor.signIn(friend.email, friend.password);
  await visitor.at("consent");
  await page.click("#allow");
  await page.waitForURL(`${partner.home}/**`);
  await visitor.go(`${partner.request().location}&prompt=select_account`);
  await visitor.at("choose");
  assert.equal(await page.locator("button.choice").count(), 2);
  await look(page, "choose");
  await page.locator("button.choice", { hasText: friend.email }).click();
  await page.waitForURL(`${partner.home}/**`);

  for (const path of ["/nothing/here", "/flow/nothing", "/link/nothing", "/authorize?client_id=nobody"]) {
    await visitor.go(path);
    await visitor.at("error");
    await page.locator("#error").waitFor();
    assert.match(await page.title(), /^Error: /);
    await look(page, `error${path.split("?")[0].replaceAll("/", "-")}`);
  }
  visitor.content();
  await visitor.context.close();
  await partner.close();
});

test("the pages stay within their budget, and say so in their headers", async () => {
  const answer = await fetch(`${server.base}/signin`, { headers: { accept: "text/html" } });
  const policy = answer.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.ok(!policy.includes("unsafe-inline") && !policy.includes("form-action"), policy);
  const html = await answer.text();
  const asset = async (pattern) => (await fetch(server.base + html.match(pattern)[1])).text();
  const css = await asset(/rel="stylesheet" href="([^"]+)"/);
  const script = await asset(/<script [^>]*src="([^"]+)"/);
  assert.ok(gzipSync(html + css).length <= 30_000);
  assert.ok(gzipSync(script).length <= 12_000);
});

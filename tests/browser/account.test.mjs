// The account: sessions ended from elsewhere, the end of the account, suspension.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor, customer, openBrowser } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { until } from "./support/until.mjs";

let server, browser;
before(async () => ([server, browser] = await Promise.all([Server.start(), openBrowser()])));
after(() => Promise.all([browser?.close(), server?.close()]));

/** Somebody at their account page. */
async function signedIn(person, options) {
  const visitor = await Visitor.come(browser, server, options);
  await visitor.go("/account");
  await visitor.signIn(person.email, person.password);
  await visitor.at("account");
  return visitor;
}

/** This browser is signed out. */
async function isOut(visitor) {
  await visitor.go("/account");
  await visitor.at("identify");
}

test("one session, all others, and all sessions are ended from another browser", async () => {
  const person = await customer(server);
  const [here, there, third] = [await signedIn(person), await signedIn(person), await signedIn(person)];
  const rows = here.page.locator("ul.rows > li");
  await here.go("/account/sessions");
  assert.equal(await rows.count(), 3);
  await rows.nth(1).getByRole("button").click();
  await here.page.getByText("Signed out there").waitFor();
  assert.equal(await rows.count(), 2);
  await here.page.click("#continue");
  await here.page.getByText("Signed out in one other place").waitFor();
  await isOut(there);
  await isOut(third);
  await here.go("/account/sessions");
  await here.page.getByRole("button", { name: "Sign out everywhere" }).last().click();
  await here.page.locator("#signed-out").waitFor();
  await isOut(here);
  for (const visitor of [here, there, third]) {
    visitor.content();
    await visitor.context.close();
  }
});

test("a changed password ends the other sessions, not this one, and is told", async () => {
  const person = await customer(server);
  const [here, there] = [await signedIn(person), await signedIn(person)];
  const next = "nine patient geese walk";
  await here.go("/account/password");
  await here.send({ password: "not this one", new_password: next });
  await here.page.locator("#field-password[aria-invalid]").waitFor();
  await here.send({ password: person.password, new_password: "12345678" });
  await here.page.locator("#field-new_password[aria-invalid]").waitFor();
  await here.send({ password: person.password, new_password: next });
  await here.at("account");
  assert.match((await server.mail(person.email)).subject, /password was changed/);
  await isOut(there);
  await there.signIn(person.email, next);
  await there.at("account");
  await Promise.all([here, there].map((visitor) => visitor.context.close()));
});

test("the profile is edited, and its language is the account's", async () => {
  const person = await customer(server);
  const visitor = await signedIn(person);
  await visitor.go("/account/profile");
  await visitor.at("profile");
  await visitor.page.locator("#field-locale").selectOption("de");
  await visitor.send({ name: "Robin <b>Wiese</b>", locality: "Köln" });
  visitor.locale = "de";
  await visitor.at("profile");
  assert.equal(await visitor.page.locator("#field-name").inputValue(), "Robin <b>Wiese</b>");
  assert.equal(await visitor.page.locator("#field-locality").inputValue(), "Köln");
  visitor.content();
  await visitor.context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the account is deleted ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    const person = await customer(server);
    const [visitor, there] = [await signedIn(person, { javaScriptEnabled }), await signedIn(person)];
    await visitor.follow("/account/delete");
    await visitor.at("delete");
    await visitor.send({ password: "not this one" });
    await visitor.page.locator("#field-password[aria-invalid]").waitFor();
    await visitor.send({ password: person.password });
    await visitor.page.locator("#signed-out").waitFor();
    assert.match((await server.mail(person.email)).subject, /deleted/);
    await isOut(there);
    await isOut(visitor);
    await visitor.signIn(person.email, person.password);
    await visitor.page.locator("#field-password[aria-invalid]").waitFor();
    // The same address may begin anew, as somebody else.
    await visitor.go("/register");
    await visitor.register(person);
    await visitor.at("account");
    visitor.content();
    await Promise.all([visitor, there].map((each) => each.context.close()));
  });
}

test("a suspended account: its sessions are dead at once, and a right password is told why", async () => {
  const person = await customer(server);
  const visitor = await signedIn(person);
  const { page } = visitor;
  const become = (state) =>
    server.apply({ tenants: [{ slug: "default", users: [{ email: person.email, state }] }] });
  await become("suspended");
  await until("the session is dead", async () => {
    await visitor.go("/account");
    return (await visitor.step()) === "identify";
  }, 2);
  await visitor.signIn(person.email, person.password);
  await visitor.at("error");
  assert.match(await page.locator("main").innerText(), /no access at the moment/);
  // Who does not know the password learns nothing.
  await visitor.go("/signin");
  await visitor.signIn(person.email, "not this one");
  await page.locator("#field-password[aria-invalid]").waitFor();
  await become("active");
  await visitor.send({ password: person.password });
  await visitor.at("account");
  visitor.content();
  await visitor.context.close();
});

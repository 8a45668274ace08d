// What goes wrong around honest people, and the humane answer to it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Visitor, customer, openBrowser, somebody, withoutCookies } from "./support/browser.mjs";
import { Server, postgres } from "./support/server.mjs";

let server, browser;
before(async () => ([server, browser] = await Promise.all([Server.start(), openBrowser()])));
after(() => Promise.all([browser?.close(), server?.close()]));

/** A test with a visitor of its own, whose pages must all be in order. */
function visit(name, options, act = options) {
  test(name, async () => {
    const visitor = await Visitor.come(browser, server, typeof options === "object" ? options : {});
    await act(visitor);
    visitor.content();
    await visitor.context.close();
  });
}

visit("a wrong password, then the right one; by address and by user name", async (visitor) => {
  const person = await customer(server, { username: "bright.otter" });
  for (const identifier of [person.email.toUpperCase(), "Bright.Otter"]) {
    await visitor.go("/signin");
    await visitor.signIn(identifier, "not this one");
    const field = visitor.page.locator("#field-password[aria-invalid]");
    await field.waitFor();
    assert.match(await visitor.page.title(), /^Error/);
    assert.equal(await field.inputValue(), "", "a password is never sent back");
    await visitor.send({ password: person.password });
    await visitor.at("account");
    await visitor.page.getByRole("button", { name: "Sign out" }).first().click();
    await visitor.page.locator("#signed-out").waitFor();
  }
});

visit("an unknown account is answered like a known one", async (visitor) => {
  const person = await customer(server);
  const seen = [];
  for (const identifier of [person.email, somebody().email]) {
    await visitor.go("/signin");
    await visitor.signIn(identifier, "not this one");
    await visitor.page.locator("#field-password[aria-invalid]").waitFor();
    seen.push((await visitor.page.locator("main").innerText()).replace(identifier, "…"));
  }
  assert.equal(seen[0], seen[1]);
});

visit("somebody who has an account and registers again ends up signed in to it", async (visitor) => {
  const person = await customer(server);
  await visitor.go("/register");
  await visitor.send({ email: person.email });
  await visitor.at("code");
  await visitor.send({ code: await visitor.code(person.email) });
  await visitor.at("account");
  await visitor.page.getByText("You already had an account with this address").waitFor();
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  visit(`the back button after each step leads on, not astray${how}`, { javaScriptEnabled }, async (visitor) => {
    const { page } = visitor;
    const person = somebody();
    // Wherever back leads, the main button goes on to where the flow is.
    const backAndOn = async (step) => {
      await page.goBack();
      assert.notEqual(await visitor.step(), "error");
      if ((await visitor.step()) !== step) await page.goForward();
      await visitor.at(step);
    };
    await visitor.go("/register");
    await visitor.send({ email: person.email });
    await visitor.at("code");
    await backAndOn("code");
    await visitor.send({ code: await visitor.code(person.email) });
    await visitor.at("details");
    await backAndOn("details");
    await visitor.send({ password: person.password });
    await visitor.at("account");
    await page.goBack();
    if ((await visitor.step()) !== "account") {
      assert.notEqual(await visitor.step(), "error");
      await page.click("#continue");
    }
    await visitor.at("account");
  });
}

visit("the page of an earlier step, sent again, shows where one is", async (visitor) => {
  const person = somebody();
  await visitor.go("/register");
  const old = await visitor.context.newPage();
  await visitor.send({ email: person.email });
  await visitor.at("code");
  await old.goto(visitor.page.url());
  await visitor.send({ code: await visitor.code(person.email) });
  await visitor.at("details");
  await visitor.at("code", old);
  await visitor.send({ code: "123456" }, old);
  await visitor.at("details", old);
});

visit("two tabs of one flow: both end signed in", async (visitor) => {
  const person = await customer(server);
  const { page } = visitor;
  await visitor.go("/signin");
  await visitor.send({ identifier: person.email });
  await visitor.at("password");
  const other = await visitor.context.newPage();
  await other.goto(page.url());
  await visitor.at("password", other);
  await visitor.send({ password: person.password });
  await visitor.at("account");
  await visitor.send({ password: person.password }, other);
  await visitor.at("account", other);
});

visit("two tabs of a browser that is new here: the first asks to send it once more", async (visitor) => {
  const person = somebody();
  await visitor.go("/register");
  await visitor.context.clearCookies();
  const later = await visitor.context.newPage();
  await later.goto(`${server.base}/signin`);
  await visitor.send({ email: person.email });
  await visitor.at("register");
  await visitor.page.getByText("send it once more").waitFor();
  assert.equal(await visitor.page.locator("#field-email").inputValue(), person.email, "what was typed is kept");
  await visitor.send({});
  await visitor.at("code");
});

visit("reloading any page of the flow changes nothing", async (visitor) => {
  const person = somebody();
  const reload = async (step) => {
    await visitor.at(step);
    await visitor.page.reload();
    await visitor.at(step);
  };
  await visitor.go("/register");
  await reload("register");
  await visitor.send({ email: "nobody" });
  await reload("register");
  await visitor.send({ email: person.email });
  await reload("code");
  await visitor.send({ code: await visitor.code(person.email) });
  await reload("details");
  await visitor.send({ password: "password" });
  await reload("details");
  await visitor.send({ password: person.password });
  await reload("account");
  assert.equal((await server.mails(person.email)).length, 1);
});

visit("another language in the middle of a flow", async (visitor) => {
  const person = somebody();
  await visitor.go("/register");
  await visitor.send({ email: person.email });
  await visitor.at("code");
  await visitor.page.getByRole("link", { name: "Deutsch" }).click();
  visitor.locale = "de";
  await visitor.at("code");
  await visitor.send({ code: await visitor.code(person.email) });
  await visitor.at("details");
  await visitor.send({ password: person.password });
  await visitor.at("account");
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  visit(`a button pressed twice does its work once${how}`, { javaScriptEnabled }, async (visitor) => {
    const person = somebody();
    await visitor.go("/register");
    await visitor.page.locator("#field-email").fill(person.email);
    await visitor.page.locator("#continue").dblclick();
    await visitor.at("code");
    await visitor.send({ code: await visitor.code(person.email) });
    await visitor.at("details");
    await visitor.page.locator("#field-password").fill(person.password);
    await visitor.page.locator("#continue").dblclick();
    await visitor.at("account");
    assert.equal((await server.mails(person.email)).length, 1);
  });
}

visit("a page from another site cannot send our form", async (visitor) => {
  const { page } = visitor;
  await visitor.go("/signin");
  const action = await page.locator("main form").first().getAttribute("action");
  const form = `<form method="post" action="${server.base}${action}"><input name="identifier" value="x@example.com"><button>go</button></form>`;
  await page.route("http://elsewhere.example/", (route) => route.fulfill({ contentType: "text/html", body: form }));
  await page.goto("http://elsewhere.example/");
  await page.click("button");
  await page.locator("#error").waitFor();
});

test("without cookies, a sentence says so", () => withoutCookies(async (context) => {
  const visitor = await Visitor.in(context, server);
  await visitor.go("/signin");
  await visitor.send({ identifier: "alice@example.com" });
  await visitor.at("error");
  assert.match(await visitor.page.locator("main").innerText(), /Allow cookies for this site/);
  assert.match(await visitor.page.title(), /^Error/);
  visitor.content();
}));

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  visit(`a mailed link in the same browser asks for a click and goes on${how}`, { javaScriptEnabled }, async (visitor) => {
    const person = somebody();
    await visitor.go("/register");
    await visitor.send({ email: person.email });
    await visitor.at("code");
    const { links } = await server.mail(person.email);
    const first = visitor.page;
    visitor.page = await visitor.context.newPage();
    // A scanner of mails, or a second look: nothing is used up.
    for (const _ of [1, 2]) {
      await fetch(links[0]);
      await visitor.go(links[0]);
      await visitor.at("link");
    }
    await visitor.page.click("#continue");
    await visitor.at("details");
    await first.reload();
    await visitor.at("details", first);
    await visitor.send({ password: person.password });
    await visitor.at("account");
    await visitor.go(links[0]);
    await visitor.at("error");
    assert.match(await visitor.page.locator("main").innerText(), /no longer good/);
  });
}

visit("a mailed link in a foreign browser shows the code to type where one began", async (visitor) => {
  const person = await customer(server);
  await visitor.go("/recover");
  await visitor.send({ identifier: person.email });
  await visitor.at("code");
  const { links, code } = await server.mail(person.email);
  const phone = await Visitor.come(browser, server, { viewport: { width: 390, height: 800 } });
  await phone.go(links[0]);
  await phone.at("link");
  assert.equal(await phone.page.locator("#continue").count(), 0, "it proves nothing there");
  assert.equal(await phone.page.locator(".shown-code").innerText(), code);
  phone.content();
  await phone.context.close();
  await visitor.send({ code: ` ${code.slice(0, 3)} ${code.slice(3)} ` });
  await visitor.at("new-password");
});

visit("a flow's address in a foreign browser leads nowhere, with a way to begin", async (visitor) => {
  await visitor.go("/register");
  await visitor.send({ email: somebody().email });
  await visitor.at("code");
  const stranger = await Visitor.come(browser, server);
  await stranger.go(visitor.page.url());
  await stranger.at("error");
  await stranger.page.locator("main a.button").click();
  await stranger.at("identify");
  await stranger.context.close();
});

visit("five wrong codes use a code up, and a new one is sent", async (visitor) => {
  const person = somebody();
  await visitor.go("/register");
  await visitor.send({ email: person.email });
  await visitor.at("code");
  const code = await visitor.code(person.email);
  const wrong = code === "000000" ? "000001" : "000000";
  for (const left of ["4 more times", "3 more times", "2 more times", "once more"]) {
    await visitor.send({ code: wrong });
    await visitor.page.getByText(left).waitFor();
  }
  await visitor.send({ code: wrong });
  await visitor.page.getByText("Have a new one sent").waitFor();
  await visitor.send({ code });
  await visitor.page.locator("#field-code[aria-invalid]").waitFor();
  await visitor.at("code");
});

// Before which step of registering it ends, and how: politely, or as a power failure would.
const ends = { sqlite: ["SIGTERM", "SIGKILL"], postgres: ["SIGKILL"] };
for (const [engine, signals] of Object.entries(ends)) {
  const skip = engine === "postgres" && !postgres && "KEYWARD_TEST_POSTGRES is not set";
  describe(`the server ends in the middle, on ${engine}`, { skip }, () => {
    let own;
    before(async () => (own = await Server.start(engine)));
    after(() => own?.close());
    for (const signal of signals) {
      for (const moment of ["register", "code", "details", "account"]) {
        test(`${signal} before the step ${moment} is answered: one goes on with the page one has`, async () => {
          const visitor = await Visitor.come(browser, own);
          const person = somebody();
          const end = async (step) => {
            await visitor.at(step);
            if (step === moment) await own.restart(signal);
          };
          await visitor.go("/register");
          await end("register");
          await visitor.send({ email: person.email });
          await end("code");
          await visitor.send({ code: await visitor.code(person.email) });
          await end("details");
          await visitor.send({ password: person.password });
          await end("account");
          await visitor.go("/account");
          await visitor.at("account");
          visitor.content();
          await visitor.context.close();
        });
      }
    }

    test("on the way to an application: it asks to sign in again, and nothing has to be typed", async () => {
      const visitor = await Visitor.come(browser, own);
      const person = somebody();
      await visitor.go("/demo");
      await visitor.follow("/demo/register");
      await visitor.at("register");
      await visitor.send({ email: person.email });
      await visitor.at("code");
      await own.restart("SIGKILL");
      await visitor.send({ code: await visitor.code(person.email) });
      await visitor.at("details");
      await visitor.send({ password: person.password });
      // The demo application keeps what it began in memory alone.
      await visitor.at("demo");
      await visitor.page.locator("#continue").click();
      await visitor.subject();
      await visitor.context.close();
    });
  });
}

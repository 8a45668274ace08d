// An application of somebody else asks: allow, remembered, taken back, denied.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Application } from "./support/application.mjs";
import { Visitor, customer, openBrowser } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

let server, browser, partner;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), openBrowser()]);
  partner = await Application.start(server, "partner");
  const { client_id, redirect_uri } = partner;
  const application = {
    client_id, name: "Partner", client_secret: "s3cret3", redirect_uris: [redirect_uri], first_party: false,
  };
  await server.apply({ tenants: [{ slug: "default", applications: [application] }] });
});
after(() => Promise.all([browser?.close(), server?.close(), partner?.close()]));

for (const javaScriptEnabled of [true, false]) {
  test(`consent ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    const person = await customer(server);
    const visitor = await Visitor.come(browser, server, { javaScriptEnabled });
    const { page } = visitor;
    const ask = async () => {
      const request = partner.request();
      await visitor.go(request.location);
      return request;
    };

    const first = await ask();
    await visitor.signIn(person.email, person.password);
    await visitor.at("consent");
    const told = await page.locator("main").innerText();
    for (const part of ["Partner", "127.0.0.1", person.email]) assert.ok(told.includes(part), `tells ${part}`);
    const [allow, deny] = await Promise.all(["#allow", "#deny"].map((id) => page.locator(id).boundingBox()));
    assert.deepEqual([allow.width, allow.height], [deny.width, deny.height], "deny is as large as allow");
    await page.click("#allow");
    const answer = await partner.answer(first);
    assert.ok(answer.code);
    assert.equal(answer.iss, server.base);

    // The second time nothing is asked.
    assert.ok((await partner.answer(await ask())).code);

    await visitor.go("/account/applications");
    await visitor.at("applications");
    assert.match(await page.locator("ul.rows").innerText(), /Partner/);
    await page.locator("ul.rows button").click();
    await page.getByText("Partner no longer has access").waitFor();
    assert.equal(await page.locator("ul.rows > li").count(), 0);

    const last = await ask();
    await visitor.at("consent");
    await page.click("#deny");
    const refused = await partner.answer(last);
    assert.equal(refused.error, "access_denied");
    assert.equal(refused.iss, server.base);
    assert.equal(refused.code, undefined);

    // Back from there: no dead end. The answer is known before the page is there.
    await page.waitForURL(`${partner.home}/**`);
    await page.goBack();
    assert.notEqual(await page.locator("main").count(), 0);
    visitor.content();
    await visitor.context.close();
  });
}

test("an application that is not known is answered on our own page", async () => {
  const visitor = await Visitor.come(browser, server);
  const request = partner.request();
  for (const location of [request.location.replace("client_id=partner", "client_id=nobody"), request.location.replace("%2Fcb", "%2Felsewhere")]) {
    await visitor.go(location);
    await visitor.at("error");
    await visitor.page.locator("#error").waitFor();
    assert.match(await visitor.page.title(), /^Error/);
  }
  await visitor.context.close();
});

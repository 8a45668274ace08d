// The JSON form of the steps, for a program without cookies: the browser's secret travels in the body.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { somebody } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

/** A program that signs somebody in. It keeps no cookies. */
class Program {
  constructor(base) {
    this.base = base;
  }

  async open(path) {
    return this.#read(await fetch(this.base + path, { headers: { accept: "application/json" } }));
  }

  /** Sends the page's hidden fields with these ones. */
  async send(fields) {
    const hidden = this.page.fields.filter((field) => field.type === "hidden").map(({ name, value }) => [name, value]);
    const body = { ...Object.fromEntries(hidden), device: this.device, ...fields };
    return this.#read(await fetch(this.base + this.page.action, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json" },
      body: JSON.stringify(body),
    }));
  }

  async #read(answer) {
    this.page = await answer.json();
    this.status = answer.status;
    this.cookies = answer.headers.getSetCookie();
    this.device = this.page.fields?.find((field) => field.name === "device")?.value ?? this.device;
    return this.page;
  }
}

describe("JSON without cookies", () => {
  let server;
  const person = somebody();
  before(async () => (server = await Server.start()));
  after(() => server?.close());

  test("registers", async () => {
    const program = new Program(server.base);
    assert.equal((await program.open("/register")).step, "register");
    assert.equal((await program.send({ email: "no address" })).step, "register");
    assert.equal(program.status, 422);
    assert.match(program.page.messages[0].text, /not an e-mail address/);
    assert.equal((await program.send({ email: person.email })).step, "code");
    const { code } = await server.mail(person.email);
    const wrong = code === "000000" ? "000001" : "000000";
    assert.equal((await program.send({ code: wrong })).step, "code");
    assert.equal((await program.send({ code })).step, "details");
    const done = await program.send({ name: person.name, password: person.password });
    assert.deepEqual([done.step, done.location], ["redirect", "/account"]);
    assert.ok(program.cookies.some((cookie) => cookie.startsWith("kws-")), "the session is in a cookie");
  });

  test("signs in, and the cookie of the answer opens the account", async () => {
    const program = new Program(server.base);
    assert.equal((await program.open("/signin")).step, "identify");
    assert.equal((await program.send({ identifier: person.email })).step, "password");
    assert.equal((await program.send({ password: "not this one" })).step, "password");
    assert.equal(program.status, 422);
    assert.equal((await program.send({ password: person.password })).location, "/account");
    const cookie = program.cookies.find((each) => each.startsWith("kws-")).split(";")[0];
    const account = await fetch(`${server.base}/account`, { headers: { accept: "application/json", cookie } });
    assert.equal((await account.json()).step, "account");
  });

  test("is told apart from another program by its secret", async () => {
    const [own, other] = [new Program(server.base), new Program(server.base)];
    await own.open("/signin");
    await own.send({ identifier: person.email });
    await other.open("/signin");
    own.device = other.device;
    assert.equal((await own.send({ password: person.password })).step, "error");
    assert.equal(own.status, 403);
  });

  test("is not what a form of another site can send", async () => {
    const program = new Program(server.base);
    await program.open("/signin");
    const answer = await fetch(server.base + program.page.action, {
      method: "POST",
      headers: { "content-type": "text/plain", origin: "https://elsewhere.example" },
      body: JSON.stringify({ device: program.device, identifier: person.email }),
    });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  });
});

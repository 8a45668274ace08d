// An application of somebody else: it sends people to sign in and writes down what comes back.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { until } from "./until.mjs";

const random = () => randomBytes(24).toString("base64url");

export class Application {
  #answers = [];

  static async start(server, client_id) {
    const own = new Application();
    own.http = createServer((request, response) => {
      const url = new URL(request.url, own.home);
      if (url.pathname === "/cb") own.#answers.push(Object.fromEntries(url.searchParams));
      response.setHeader("content-type", "text/html").end("<!doctype html><title>Back</title><link rel=icon href='data:,'>");
    });
    await new Promise((ready) => own.http.listen(0, "127.0.0.1", ready));
    // A test that fails does not wait for it.
    own.http.unref();
    own.home = `http://127.0.0.1:${own.http.address().port}`;
    own.redirect_uri = `${own.home}/cb`;
    Object.assign(own, { server, client_id });
    return own;
  }

  /** Where it sends somebody to sign in, and what it expects back. */
  request(scope = "openid profile email") {
    const [state, verifier] = [random(), random() + random()];
    const query = new URLSearchParams({
      response_type: "code", client_id: this.client_id, redirect_uri: this.redirect_uri, scope, state, nonce: random(),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    });
    return { location: `${this.server.base}/authorize?${query}`, state, verifier };
  }

  /** The answer to the request of this state. */
  answer({ state }) {
    return until("the application has its answer", () => this.#answers.find((answer) => answer.state === state));
  }

  close() {
    return new Promise((done) => this.http.close(done));
  }
}

// The built program, run for one test file: a free port, data of its own, and a database of its own
// in PostgreSQL if that is asked for.
import { execFile, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.mjs";

const run = promisify(execFile);
const program = process.env.KEYWARD_BIN ?? new URL("../../../target/debug/keyward", import.meta.url).pathname;
/** Where PostgreSQL is, if these tests may use it. */
export const postgres = process.env.KEYWARD_TEST_POSTGRES;

export class Server {
  #child;
  #said = "";
  #taken = new Map();
  #database;

  /** Starts one; `engine` is sqlite or postgres. */
  static async start(engine = "sqlite") {
    const server = new Server();
    server.data = await mkdtemp(join(tmpdir(), "keyward-"));
    server.port = await freePort();
    server.base = `http://127.0.0.1:${server.port}`;
    if (engine === "postgres") server.#database = await freshDatabase();
    await server.up();
    return server;
  }

  get #place() {
    return ["--data", this.data, ...(this.#database ? ["--database", this.#database.url] : [])];
  }

  /** Starts it, again on the same port with the same data, and waits until it is ready. */
  async up() {
    const child = spawn(program, ["dev", "--listen", `127.0.0.1:${this.port}`, ...this.#place], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    // It does not outlive a test that breaks off.
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    child.stderr.on("data", (text) => (this.#said += text));
    await until("the program is ready", async () => {
      if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}:\n${this.#said}`);
      return fetch(`${this.base}/health/ready`).then((answer) => answer.ok, () => false);
    });
  }

  /** Ends it: politely (SIGTERM), or as a power failure does (SIGKILL). */
  async down(signal = "SIGTERM") {
    const child = this.#child;
    this.wasDown = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await gone;
  }

  async restart(signal) {
    await this.down(signal);
    await this.up();
  }

  /** Ends it and removes what it left. */
  async close() {
    await this.down();
    await rm(this.data, { recursive: true, force: true });
    await this.#database?.drop();
  }

  /** Applies a document (YAML reads JSON) beside the running program. */
  async apply(document) {
    const file = join(this.data, `apply-${randomBytes(4).toString("hex")}.yaml`);
    await writeFile(file, JSON.stringify(document));
    const { stdout } = await run(program, ["apply", file, ...this.#place]);
    return stdout;
  }

  /** All mails to an address, newest first. */
  async mails(to) {
    const answer = await fetch(`${this.base}/dev/mail.json?to=${encodeURIComponent(to)}`);
    return answer.json();
  }

  /**
   * The next mail to an address that this was not given yet. On PostgreSQL one that was under way when
   * its process was killed belongs to that for 15 seconds.
   */
  async mail(to) {
    const taken = this.#taken.get(to) ?? 0;
    const mail = await until(`a mail to ${to}`, async () => (await this.mails(to)).at(-1 - taken), 30);
    this.#taken.set(to, taken + 1);
    return mail;
  }
}

/**
 * A port that nobody listens on. Below the ports of outgoing connections (32768 and up on Linux), so
 * that none of those takes it while a program that was killed is not back yet.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const server = createServer();
    const free = await new Promise((told) => {
      server.once("error", () => told(false));
      server.listen(port, "127.0.0.1", () => told(true));
    });
    if (!free) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}

async function freshDatabase() {
  const name = `browser_${randomBytes(6).toString("hex")}`;
  const sql = (text) => run("psql", ["-qX", "-v", "ON_ERROR_STOP=1", postgres, "-c", text]);
  await sql(`CREATE DATABASE ${name}`);
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => sql(`DROP DATABASE ${name} WITH (FORCE)`) };
}

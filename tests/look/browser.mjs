// What both tools share: the pages, served as the product serves them (with its policy), and a browser.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const kinds = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };

/** Serves a folder written by `cargo run -p web --example look` and returns its address. */
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://x").pathname);
    const kind = extname(path);
    try {
      const body = await readFile(join(folder, path));
      response.setHeader("Content-Type", `${kinds[kind] ?? "application/octet-stream"}; charset=utf-8`);
      if (kind === ".html" && !path.includes("/mail-")) response.setHeader("Content-Security-Policy", policy);
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

// The sheets show the form_post page, so its script, which would leave at once, is not allowed here.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The pages of a folder, as [{path, locale, name}]. */
export async function pages(folder) {
  const paths = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
  return paths.map((path) => {
    const [, locale, file] = path.split("/");
    return { path, locale, name: file.replace(/\.html$/, "") };
  });
}

/** Starts Chromium; it must be installed (CHROMIUM names another path). */
export async function browser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    console.error(`No Chromium at ${executablePath}. Install it (apt-get install chromium) or set CHROMIUM.`);
    process.exit(2);
  }
  const quiet = ["background-networking", "component-update", "sync", "quic", "gpu"].map((what) => `--disable-${what}`);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--no-first-run", ...quiet] });
}

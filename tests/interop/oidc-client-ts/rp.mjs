// A single-page application on oidc-client-ts in Chromium: a static page at one origin, Keyward at another.
// The browser is real, so what CORS, cookies and frames allow is real too.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const { ISSUER, CLIENT_ID, PORT, ORIGIN, REDIRECT_URI, POST_LOGOUT_URI, EMAIL, PASSWORD, CHROMIUM } = process.env
const [html, library] = await Promise.all(
  ['index.html', 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.js'].map((name) => readFile(name)),
)
createServer((request, response) => {
  const { pathname } = new URL(request.url, ORIGIN)
  if (pathname === '/oidc-client-ts.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(library)
  else response.writeHead(200, { 'content-type': 'text/html' }).end(html)
}).listen(PORT, '127.0.0.1')

const browser = await chromium.launch({
  executablePath: CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
const page = await (await browser.newContext({ locale: 'en' })).newPage()
page.setDefaultTimeout(50_000)
page.on('console', (message) => message.type() === 'error' && console.error(message.text()))

const settings = {
  authority: ISSUER,
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  post_logout_redirect_uri: POST_LOGOUT_URI,
  silent_redirect_uri: REDIRECT_URI,
  scope: 'openid email profile',
  loadUserInfo: true,
  automaticSilentRenew: false,
  revokeTokensOnSignout: false,
}
// Runs in the page, with a manager of the library.
const inside = (work) =>
  page.evaluate(`(async () => {
    const manager = new oidc.UserManager(${JSON.stringify(settings)})
    return (${work})(manager)
  })()`)

const input = createInterface({ input: process.stdin })
const say = async (line) => {
  const checked = once(input, 'line')
  console.log(JSON.stringify(line))
  await checked
}
const step = async (name, work) => {
  try {
    const answer = await work()
    await say({ step: name, ok: true, answer })
  } catch (error) {
    console.error(error)
    await say({ step: name, ok: false, error: String(error) })
  }
}

await step('sign-in', async () => {
  await page.goto(ORIGIN)
  await Promise.all([page.waitForURL(`${ISSUER}/**`), inside('(manager) => { manager.signinRedirect() }')])
  await page.fill('input[name=identifier]', EMAIL)
  await page.click('#continue')
  await page.fill('input[name=password]', PASSWORD)
  await Promise.all([page.waitForURL(`${REDIRECT_URI}?**`), page.click('#continue')])
  return inside('async (manager) => (await manager.signinRedirectCallback()).profile')
})

await step('userinfo', () => inside('async (manager) => (await manager.getUser()).profile'))

await step('refresh', () =>
  inside(`async (manager) => {
    const before = (await manager.getUser()).access_token
    return { before, access_token: (await manager.signinSilent()).access_token }
  }`))

await step('revoke', () =>
  inside(`async (manager) => {
    const { access_token } = await manager.getUser()
    await manager.revokeTokens(['access_token'])
    return { access_token }
  }`))

await step('logout', async () => {
  // Without a refresh token the library asks in a frame with prompt=none: yes before the logout, no after it.
  await inside('async (manager) => { await manager.removeUser(); return (await manager.signinSilent()).profile }')
  await Promise.all([page.waitForURL(`${POST_LOGOUT_URI}?**`), inside(`(manager) => { manager.signoutRedirect({ state: 'bye' }) }`)])
  await inside('(manager) => manager.signoutRedirectCallback()')
  const refused = await inside(`(manager) => manager.signinSilent().then(() => 'signed in', (error) => error.error)`)
  if (refused !== 'login_required') throw new Error(`after the logout a silent sign-in says ${refused}`)
})

await browser.close()
process.exit()

// A person in Chromium with the single-page application; run.py calls it.
import assert from 'node:assert/strict'

const [library, home, issuer, email, password, name] = process.argv.slice(2)
const { chromium } = await import(library)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
const page = await (await browser.newContext({ locale: 'en' })).newPage()
page.setDefaultTimeout(20_000)
page.on('console', (message) => message.type() === 'error' && console.error(message.text(), message.location().url))
const token = () =>
  page.evaluate(() => Object.values(sessionStorage).map((item) => JSON.parse(item).access_token).find(Boolean))

await page.goto(home)
await page.click('#sign-in')
await page.fill('input[name=identifier]', email)
await page.click('#continue')
await page.fill('input[name=password]', password)
await page.click('#continue')
await page.waitForSelector('#signed-in:not([hidden])')
assert.equal(await page.textContent('#who'), `Hello, ${name}`)
assert.equal(page.url(), `${home}/`)

await page.click('#userinfo')
await page.waitForFunction(() => document.getElementById('answer').textContent.includes('email_verified'))

const before = await token()
await page.click('#refresh')
await page.waitForFunction(() => document.getElementById('answer').textContent.includes('expires_at'))
assert.ok(before && before !== (await token()))

await page.click('#sign-out')
await page.waitForSelector('#sign-in:not([hidden])')
assert.equal(await token(), undefined)
await page.goto(`${issuer}/account`)
await page.waitForSelector('main[data-step=identify]')
await browser.close()

// openid-client (npm) as the relying party, against the server at KEYWARD_ISSUER with the example
// applied. test_openid_client.py starts it once an engine.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { Browser } from './browser.mjs'

const issuer = process.env.KEYWARD_ISSUER
const [user, password] = ['alice@example.com', 'correct horse battery']
const known = {
  web: ['s3cret', 'http://127.0.0.1:9000/cb'],
  partner: ['s3cret3', 'http://127.0.0.1:9002/cb'],
  spa: [undefined, 'http://127.0.0.1:9001/cb'],
  robot: ['s3cret2'],
}

const discover = (id, authentication) =>
  client.discovery(new URL(issuer), id, undefined, authentication, { execute: [client.allowInsecureRequests] })

const application = async (id, authentication) => {
  const [secret, redirectUri] = known[id]
  const config = await discover(id, authentication ?? (secret ? client.ClientSecretBasic(secret) : client.None()))
  return { config, redirectUri }
}

// Where the browser goes, and what must come back.
const begin = async ({ config, redirectUri }, more = {}) => {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedNonce: client.randomNonce(),
    expectedState: client.randomState(),
  }
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile',
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...more,
  })
  return { url, checks }
}

const signIn = async (app, browser = new Browser(new URL(issuer).origin), more = {}) => {
  const { url, checks } = await begin(app, more)
  const page = await browser.signIn(await browser.get(url), user, password)
  const tokens = await client.authorizationCodeGrant(app.config, page.url, checks)
  return { browser, tokens }
}

for (const [name, id, authentication] of [
  ['confidential, basic', 'web', client.ClientSecretBasic('s3cret')],
  ['confidential, post', 'web', client.ClientSecretPost('s3cret')],
  ['public', 'spa', client.None()],
]) {
  test(`sign-in, userinfo, refresh: ${name}`, async () => {
    const app = await application(id, authentication)
    const { tokens } = await signIn(app)
    const claims = tokens.claims()
    assert.equal(claims.iss, issuer)
    const person = await client.fetchUserInfo(app.config, tokens.access_token, claims.sub)
    assert.equal(person.email, user)
    assert.equal(person.name, 'Alice Example')
    const next = await client.refreshTokenGrant(app.config, tokens.refresh_token)
    assert.notEqual(next.refresh_token, tokens.refresh_token)
    assert.equal(next.claims().sub, claims.sub)
    const again = await client.refreshTokenGrant(app.config, tokens.refresh_token)
    assert.equal(again.refresh_token, next.refresh_token, 'inside 30 s the same successor')
    await client.refreshTokenGrant(app.config, next.refresh_token)
    await assert.rejects(client.refreshTokenGrant(app.config, tokens.refresh_token), { error: 'invalid_grant' })
    await assert.rejects(client.fetchUserInfo(app.config, next.access_token, claims.sub), 'the grant ended')
  })
}

test('client credentials', async () => {
  const { config } = await application('robot')
  const tokens = await client.clientCredentialsGrant(config, { scope: 'orders.read' })
  assert.equal(tokens.scope ?? 'orders.read', 'orders.read')
  assert.equal(tokens.refresh_token, undefined)
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'openid' }), { error: 'invalid_scope' })
})

test('prompt=none, prompt=login and max_age', async () => {
  const app = await application('web')
  const browser = new Browser(new URL(issuer).origin)
  let { url, checks } = await begin(app, { prompt: 'none' })
  const page = await browser.get(url)
  await assert.rejects(client.authorizationCodeGrant(app.config, page.url, checks), { error: 'login_required' })
  await signIn(app, browser)
  ;({ url, checks } = await begin(app, { prompt: 'none' }))
  await client.authorizationCodeGrant(app.config, (await browser.get(url)).url, checks)
  for (const more of [{ prompt: 'login' }, { max_age: '0' }]) {
    ;({ url, checks } = await begin(app, more))
    const asked = await browser.get(url)
    assert.match(asked.step, /^(password|identify)$/)
    const { url: answer } = await browser.signIn(asked, user, password)
    const maxAge = more.max_age === undefined ? undefined : 5
    await client.authorizationCodeGrant(app.config, answer, { ...checks, maxAge })
  }
})

test('consent for somebody else’s application', async () => {
  const app = await application('partner')
  const browser = new Browser(new URL(issuer).origin)
  await signIn(await application('web'), browser)
  let { url, checks } = await begin(app, { prompt: 'consent' })
  let page = await browser.get(url)
  assert.equal(page.step, 'consent')
  page = await browser.submit(page, 'deny')
  await assert.rejects(client.authorizationCodeGrant(app.config, page.url, checks), { error: 'access_denied' })
  ;({ url, checks } = await begin(app))
  page = await browser.submit(await browser.get(url), 'allow')
  await client.authorizationCodeGrant(app.config, page.url, checks)
  ;({ url, checks } = await begin(app))
  await client.authorizationCodeGrant(app.config, (await browser.get(url)).url, checks)
})

test('form_post', async () => {
  const app = await application('web')
  const browser = new Browser(new URL(issuer).origin)
  const { url, checks } = await begin(app, { response_mode: 'form_post' })
  const page = await browser.signIn(await browser.get(url), user, password)
  assert.equal(page.step, 'form-post')
  const form = page.forms.find(({ action }) => action === app.redirectUri)
  const body = new URLSearchParams(form.inputs.map(({ name, value }) => [name, value]))
  const answer = new Request(app.redirectUri, { method: 'POST', body })
  const tokens = await client.authorizationCodeGrant(app.config, answer, checks)
  assert.equal(tokens.claims().aud, 'web')
})

test('logout by the relying party', async () => {
  const app = await application('web')
  const { browser, tokens } = await signIn(app)
  const url = client.buildEndSessionUrl(app.config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: 'http://127.0.0.1:9000/',
    state: 'bye',
  })
  const page = await browser.get(url)
  assert.equal(page.url.href, 'http://127.0.0.1:9000/?state=bye')
  await assert.rejects(client.fetchUserInfo(app.config, tokens.access_token, tokens.claims().sub))
  await assert.rejects(client.refreshTokenGrant(app.config, tokens.refresh_token), { error: 'invalid_grant' })
})

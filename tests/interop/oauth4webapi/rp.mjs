// A relying party on oauth4webapi: every request and every check spelled out. client_secret_jwt, ID tokens
// signed with EdDSA, over https.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_URI } = process.env
const input = createInterface({ input: process.stdin })
const say = async (line) => {
  const answer = once(input, 'line')
  process.stdout.write(JSON.stringify(line) + '\n')
  return JSON.parse((await answer)[0])
}

const browse = async (url) => new URL((await say({ open: url.href })).callback)

const step = async (name, work) => {
  try {
    const answer = await work()
    await say({ step: name, ok: true, answer })
  } catch (error) {
    console.error(error)
    await say({ step: name, ok: false, error: String(error.cause?.parameters ?? error) })
  }
}

const issuer = new URL(ISSUER)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer))
const client = { client_id: CLIENT_ID, id_token_signed_response_alg: 'EdDSA' }
const authentication = oauth.ClientSecretJwt(CLIENT_SECRET)
let tokens

await step('sign-in', async () => {
  const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), oauth.generateRandomState()]
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid email profile',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
  })
  const answer = oauth.validateAuthResponse(as, client, await browse(url), state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, answer, REDIRECT_URI, verifier)
  const checks = { expectedNonce: nonce, requireIdToken: true }
  tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks)
  await oauth.validateApplicationLevelSignature(as, response)
  return oauth.getValidatedIdTokenClaims(tokens)
})

await step('userinfo', async () => {
  const response = await oauth.userInfoRequest(as, client, tokens.access_token)
  return oauth.processUserInfoResponse(as, client, oauth.getValidatedIdTokenClaims(tokens).sub, response)
})

await step('refresh', async () => {
  const before = tokens.access_token
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token)
  tokens = { ...tokens, ...(await oauth.processRefreshTokenResponse(as, client, response)) }
  return { before, access_token: tokens.access_token }
})

await step('introspect', async () => {
  const response = await oauth.introspectionRequest(as, client, authentication, tokens.access_token)
  return oauth.processIntrospectionResponse(as, client, response)
})

await step('revoke', async () => {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, tokens.access_token))
  return { access_token: tokens.access_token }
})

// It has no function for the logout, which is one address.
await step('logout', async () => {
  const url = new URL(as.end_session_endpoint)
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: POST_LOGOUT_URI })
  await browse(url)
})

process.exit()

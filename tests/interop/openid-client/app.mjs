// A web application that signs in with openid-client: private_key_jwt with keys by address, signed userinfo, PKCE,
// nonce. (tests/clients has it with secrets and as a public client.)

import { createServer } from 'node:http'
import * as oidc from 'openid-client'

const { ISSUER, CLIENT_ID, PORT, ORIGIN, REDIRECT_URI, POST_LOGOUT_URI } = process.env
const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const metadata = { id_token_signed_response_alg: 'PS256', userinfo_signed_response_alg: 'ES256' }
const authentication = oidc.PrivateKeyJwt({ key: privateKey, kid: 'rp' })
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, metadata, authentication, {
  execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
})
let checks, tokens

const routes = {
  async '/login'() {
    checks = {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedNonce: oidc.randomNonce(),
      expectedState: oidc.randomState(),
    }
    return oidc.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid email profile',
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      nonce: checks.expectedNonce,
      state: checks.expectedState,
    })
  },
  async '/callback'(url) {
    tokens = await oidc.authorizationCodeGrant(config, url, checks)
    return tokens.claims()
  },
  '/me': () => oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub),
  async '/refresh'() {
    const before = tokens.access_token
    tokens = { ...tokens, ...(await oidc.refreshTokenGrant(config, tokens.refresh_token)) }
    return { before, access_token: tokens.access_token }
  },
  '/introspect': () => oidc.tokenIntrospection(config, tokens.access_token),
  async '/revoke'() {
    await oidc.tokenRevocation(config, tokens.access_token)
    return { access_token: tokens.access_token }
  },
  '/logout': () =>
    oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: POST_LOGOUT_URI }),
  '/jwks': async () => ({ keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'rp', alg: 'ES256' }] }),
  '/': () => ({ signed_out: true }),
}

createServer(async (request, response) => {
  const url = new URL(request.url, ORIGIN)
  try {
    const answer = await routes[url.pathname](url)
    if (answer instanceof URL) response.writeHead(302, { location: answer.href }).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  } catch (error) {
    console.error(error)
    response.writeHead(500).end(String(error))
  }
}).listen(PORT, '127.0.0.1')

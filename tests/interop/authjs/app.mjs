// An Express application that signs in with Auth.js: its own sign-in page, session cookie and callback.

import { ExpressAuth, getSession } from '@auth/express'
import express from 'express'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, ORIGIN, POST_LOGOUT_URI } = process.env
const keyward = {
  id: 'keyward',
  name: 'Keyward',
  type: 'oidc',
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  checks: ['pkce', 'state', 'nonce'],
  authorization: { params: { scope: 'openid email profile' } },
  // Without it the ID token alone is the profile, and that has what scopes bring only if asked for.
  idToken: false,
  profile: (person) => ({ id: person.sub, name: person.name, email: person.email, person }),
}
const config = {
  trustHost: true,
  secret: CLIENT_SECRET,
  providers: [keyward],
  callbacks: {
    jwt: ({ token, account, profile }) => (account ? { ...token, idToken: account.id_token, person: profile } : token),
    session: ({ session, token }) => ({ ...session, idToken: token.idToken, person: token.person }),
  },
}

const app = express()
app.use('/auth', ExpressAuth(config))
app.get('/', async (request, response) => response.json({ user: (await getSession(request, config))?.user ?? null }))
app.get('/me', async (request, response) => response.json((await getSession(request, config)).person))

// Auth.js ends its own session only; an application adds the provider's.
app.get('/logout', async (request, response) => {
  const { idToken } = await getSession(request, config)
  const { end_session_endpoint: end } = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json()
  response.clearCookie('authjs.session-token')
  response.redirect(`${end}?${new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT_URI })}`)
})
app.listen(PORT, '127.0.0.1', () => console.log(ORIGIN))

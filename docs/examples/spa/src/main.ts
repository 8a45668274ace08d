import { UserManager, type User } from 'oidc-client-ts'

declare const ISSUER: string // serve.mjs puts it in

// ANCHOR: settings
const users = new UserManager({
  authority: ISSUER,
  client_id: 'example-spa',
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: 'openid profile email',
  loadUserInfo: true, // the ID token says who, userinfo the rest
})
// ANCHOR_END: settings

// ANCHOR: callback
/** Who is signed in, also when the browser has just come back from Keyward. */
async function current(): Promise<User | null> {
  if (location.pathname !== '/callback') return users.getUser()
  const user = await users.signinRedirectCallback()
  history.replaceState(null, '', '/')
  return user
}
// ANCHOR_END: callback

// ANCHOR: call
/** Any API that takes access tokens is called like this. */
async function userinfo(): Promise<unknown> {
  const user = await users.getUser()
  const response = await fetch(await users.metadataService.getUserInfoEndpoint(), {
    headers: { authorization: `Bearer ${user?.access_token}` },
  })
  if (!response.ok) throw new Error(`userinfo answers ${response.status}`)
  return response.json()
}
// ANCHOR_END: call

const element = (id: string): HTMLElement => document.getElementById(id)!
const tell = (answer: unknown): void => {
  element('answer').textContent = JSON.stringify(answer, null, 2)
}

function show(user: User | null): void {
  element('who').textContent = user ? `Hello, ${user.profile.name ?? user.profile.sub}` : 'Nobody is signed in'
  element('sign-in').hidden = user !== null
  element('signed-in').hidden = user === null
}

// ANCHOR: buttons
element('sign-in').onclick = () => users.signinRedirect()
element('sign-out').onclick = () => users.signoutRedirect()
element('userinfo').onclick = async () => tell(await userinfo())
// The library does this by itself a minute before the access token expires.
element('refresh').onclick = async () => tell({ expires_at: (await users.signinSilent())?.expires_at })
users.events.addUserSignedOut(() => show(null))
users.events.addSilentRenewError(() => users.removeUser().then(() => show(null)))
// ANCHOR_END: buttons

show(await current().catch((error: unknown) => (console.error(error), null)))

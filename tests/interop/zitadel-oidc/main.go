// A server-side web application with the relying party of zitadel/oidc.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

type tokens = oidc.Tokens[*oidc.IDTokenClaims]

// One person at a time is signed in: what is tried here is the protocol.
type app struct {
	sync.Mutex
	party    rp.RelyingParty
	resource rs.ResourceServer
	tokens   *tokens
}

func main() {
	ctx := context.Background()
	issuer, id, secret := os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET")
	cookies := httphelper.NewCookieHandler([]byte(rand.Text()), nil, httphelper.WithUnsecure())
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile}
	party, err := rp.NewRelyingPartyOIDC(ctx, issuer, id, secret, os.Getenv("REDIRECT_URI"), scopes,
		rp.WithCookieHandler(cookies), rp.WithPKCEFromDiscovery(cookies), rp.WithSigningAlgsFromDiscovery())
	if err != nil {
		log.Fatal(err)
	}
	resource, err := rs.NewResourceServerClientCredentials(ctx, issuer, id, secret)
	if err != nil {
		log.Fatal(err)
	}
	redirect, err := url.Parse(os.Getenv("REDIRECT_URI"))
	if err != nil {
		log.Fatal(err)
	}
	a := &app{party: party, resource: resource}
	http.Handle("/login", rp.AuthURLHandler(rand.Text, party))
	http.Handle(redirect.Path, rp.CodeExchangeHandler(a.signedIn, party))
	http.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "signed out") })
	for path, handler := range map[string]func(http.ResponseWriter, *http.Request) error{
		"/me": a.me, "/refresh": a.refresh, "/introspect": a.introspect, "/revoke": a.revoke,
		"/logout": a.logout, "/backchannel": a.backchannel,
	} {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			a.Lock()
			defer a.Unlock()
			if a.tokens == nil {
				w.WriteHeader(http.StatusUnauthorized)
			} else if err := handler(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
		})
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func (a *app) signedIn(w http.ResponseWriter, r *http.Request, tokens *tokens, _ string, _ rp.RelyingParty) {
	a.Lock()
	defer a.Unlock()
	a.tokens = tokens
	http.Redirect(w, r, "/me", http.StatusFound)
}

func (a *app) me(w http.ResponseWriter, r *http.Request) error {
	person, err := rp.Userinfo[*oidc.UserInfo](r.Context(), a.tokens.AccessToken, a.tokens.TokenType, a.tokens.IDTokenClaims.Subject, a.party)
	if err != nil {
		return err
	}
	return answer(w, person)
}

func (a *app) refresh(w http.ResponseWriter, r *http.Request) error {
	next, err := rp.RefreshTokens[*oidc.IDTokenClaims](r.Context(), a.party, a.tokens.RefreshToken, "", "")
	if err != nil {
		return err
	}
	before := a.tokens
	a.tokens = next
	return answer(w, map[string]string{"before": before.AccessToken, "access_token": next.AccessToken})
}

func (a *app) introspect(w http.ResponseWriter, r *http.Request) error {
	what, err := rs.Introspect[*oidc.IntrospectionResponse](r.Context(), a.resource, a.tokens.AccessToken)
	if err != nil {
		return err
	}
	return answer(w, what)
}

func (a *app) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := rp.RevokeToken(r.Context(), a.party, a.tokens.RefreshToken, "refresh_token"); err != nil {
		return err
	}
	return answer(w, map[string]string{"access_token": a.tokens.AccessToken})
}

// logout sends the browser: rp.EndSession would call without its cookies, and this server then asks.
func (a *app) logout(w http.ResponseWriter, r *http.Request) error {
	query := url.Values{"id_token_hint": {a.tokens.IDToken}, "post_logout_redirect_uri": {os.Getenv("POST_LOGOUT_URI")}, "state": {"bye"}}
	http.Redirect(w, r, a.party.GetEndSessionEndpoint()+"?"+query.Encode(), http.StatusFound)
	return nil
}

// backchannel ends the session here only when the logout token names it.
func (a *app) backchannel(w http.ResponseWriter, r *http.Request) error {
	claims, err := rp.VerifyIDToken[*logoutClaims](r.Context(), r.PostFormValue("logout_token"), a.party.IDTokenVerifier())
	if err != nil {
		return err
	}
	if _, meant := claims.Events["http://schemas.openid.net/event/backchannel-logout"]; !meant || claims.Nonce != "" {
		return fmt.Errorf("no logout token")
	}
	if mine := a.tokens.IDTokenClaims.SessionID; claims.SessionID != mine {
		return fmt.Errorf("another session: %q, not %q", claims.SessionID, mine)
	}
	a.tokens = nil
	return nil
}

// The library has no verification of logout tokens; that of ID tokens with these claims does it.
type logoutClaims struct {
	oidc.TokenClaims
	Events    map[string]any `json:"events"`
	SessionID string         `json:"sid"`
}

func answer(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(value)
}

// A server-side web application with coreos/go-oidc and golang.org/x/oauth2.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// One person at a time is signed in: what is tried here is the protocol.
type app struct {
	sync.Mutex
	oauth    oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	more     struct {
		EndSession    string `json:"end_session_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
		Introspection string `json:"introspection_endpoint"`
	}
	state, nonce, pkce string
	tokens             *oauth2.Token
	idToken, sid       string
}

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	a := &app{
		provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: os.Getenv("CLIENT_ID")}),
		oauth: oauth2.Config{
			ClientID:     os.Getenv("CLIENT_ID"),
			ClientSecret: os.Getenv("CLIENT_SECRET"),
			RedirectURL:  os.Getenv("REDIRECT_URI"),
			Endpoint:     provider.Endpoint(),
			Scopes:       []string{oidc.ScopeOpenID, "email", "profile"},
		},
	}
	if err := provider.Claims(&a.more); err != nil {
		log.Fatal(err)
	}
	redirect, err := url.Parse(a.oauth.RedirectURL)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "signed out") })
	for path, handler := range map[string]func(http.ResponseWriter, *http.Request) error{
		"/login": a.login, redirect.Path: a.callback, "/me": a.me, "/refresh": a.refresh,
		"/introspect": a.introspect, "/revoke": a.revoke, "/logout": a.logout, "/backchannel": a.backchannel,
	} {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			a.Lock()
			defer a.Unlock()
			if err := handler(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
		})
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func (a *app) login(w http.ResponseWriter, r *http.Request) error {
	a.state, a.nonce, a.pkce = oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	http.Redirect(w, r, a.oauth.AuthCodeURL(a.state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.pkce)), http.StatusFound)
	return nil
}

func (a *app) callback(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if query.Get("state") != a.state || a.state == "" {
		return fmt.Errorf("another state: %s", query.Encode())
	}
	a.state = ""
	if wrong := query.Get("error"); wrong != "" {
		return fmt.Errorf("%s: %s", wrong, query.Get("error_description"))
	}
	tokens, err := a.oauth.Exchange(r.Context(), query.Get("code"), oauth2.VerifierOption(a.pkce))
	if err != nil {
		return err
	}
	if err := a.accept(r.Context(), tokens, a.nonce); err != nil {
		return err
	}
	http.Redirect(w, r, "/me", http.StatusFound)
	return nil
}

// accept verifies the ID token of an answer and keeps the tokens.
func (a *app) accept(ctx context.Context, tokens *oauth2.Token, nonce string) error {
	raw, _ := tokens.Extra("id_token").(string)
	id, err := a.verifier.Verify(ctx, raw)
	if err != nil {
		return err
	}
	if id.Nonce != nonce {
		return fmt.Errorf("another nonce: %q", id.Nonce)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
		return err
	}
	var claims struct{ Sid string }
	if err := id.Claims(&claims); err != nil {
		return err
	}
	a.tokens, a.idToken, a.sid = tokens, raw, claims.Sid
	return nil
}

func (a *app) me(w http.ResponseWriter, r *http.Request) error {
	if a.tokens == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	person, err := a.provider.UserInfo(r.Context(), oauth2.StaticTokenSource(a.tokens))
	if err != nil {
		return err
	}
	var claims map[string]any
	if err := person.Claims(&claims); err != nil {
		return err
	}
	return answer(w, claims)
}

func (a *app) refresh(w http.ResponseWriter, r *http.Request) error {
	if a.tokens == nil {
		return fmt.Errorf("nobody is signed in")
	}
	before := a.tokens
	tokens, err := a.oauth.TokenSource(r.Context(), &oauth2.Token{RefreshToken: before.RefreshToken}).Token()
	if err != nil {
		return err
	}
	// An ID token of a refresh need not repeat the nonce; this server's does not.
	if err := a.accept(r.Context(), tokens, ""); err != nil {
		return err
	}
	return answer(w, map[string]string{"before": before.AccessToken, "access_token": tokens.AccessToken})
}

// x/oauth2 has no function for introspection and none for revocation; both are one form.
func (a *app) introspect(w http.ResponseWriter, r *http.Request) error {
	response, err := a.post(a.more.Introspection)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var claims map[string]any
	if err := json.NewDecoder(response.Body).Decode(&claims); err != nil {
		return err
	}
	return answer(w, claims)
}

func (a *app) revoke(w http.ResponseWriter, r *http.Request) error {
	response, err := a.post(a.more.Revocation)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return answer(w, map[string]string{"access_token": a.tokens.AccessToken})
}

func (a *app) post(endpoint string) (*http.Response, error) {
	if a.tokens == nil {
		return nil, fmt.Errorf("nobody is signed in")
	}
	form := url.Values{"token": {a.tokens.AccessToken}, "client_id": {a.oauth.ClientID}, "client_secret": {a.oauth.ClientSecret}}
	response, err := http.PostForm(endpoint, form)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", endpoint, response.Status)
	}
	return response, err
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) error {
	query := url.Values{"id_token_hint": {a.idToken}, "post_logout_redirect_uri": {os.Getenv("POST_LOGOUT_URI")}, "state": {"bye"}}
	http.Redirect(w, r, a.more.EndSession+"?"+query.Encode(), http.StatusFound)
	return nil
}

// backchannel ends the session here only when the logout token names it.
func (a *app) backchannel(w http.ResponseWriter, r *http.Request) error {
	token, err := a.verifier.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		return err
	}
	if token.SessionID != a.sid {
		return fmt.Errorf("another session: %q", token.SessionID)
	}
	a.tokens, a.idToken, a.sid = nil, "", ""
	return nil
}

func answer(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(value)
}

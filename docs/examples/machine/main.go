// A program without people: gets an access token of its own and calls an API with it.
package main

import (
	"cmp"
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var (
	issuer = cmp.Or(os.Getenv("ISSUER"), "http://localhost:8080")
	api    = cmp.Or(os.Getenv("API"), "http://localhost:4000")
)

// ANCHOR: client
// withSecret gives a client that asks for a token when it has none, and for the next one in time.
func withSecret(ctx context.Context) *http.Client {
	config := clientcredentials.Config{
		ClientID:     "example-machine",
		ClientSecret: cmp.Or(os.Getenv("CLIENT_SECRET"), "the-secret-of-the-example-without-people"),
		TokenURL:     issuer + "/token",
		Scopes:       []string{"orders.read"},
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	return config.Client(ctx)
}

// ANCHOR_END: client

func client(ctx context.Context) *http.Client {
	if file := os.Getenv("KEY_FILE"); file != "" {
		return oauth2.NewClient(ctx, oauth2.ReuseTokenSource(nil, withKey{ctx, readKey(file)}))
	}
	return withSecret(ctx)
}

// ANCHOR: call
func main() {
	client := client(context.Background())
	show(client.Get(api + "/orders"))
	// The token does not reach that far: orders.write is not among its scopes.
	show(client.Post(api+"/orders", "application/json", strings.NewReader(`{"item": "tea"}`)))
}

// ANCHOR_END: call

func show(response *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("%s %s: %d %s", response.Request.Method, response.Request.URL.Path, response.StatusCode, body)
}

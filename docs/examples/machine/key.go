package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ANCHOR: key
// withKey asks for tokens with private_key_jwt (RFC 7523): no secret leaves the machine.
type withKey struct {
	ctx context.Context
	key any
}

func (w withKey) Token() (*oauth2.Token, error) {
	const id = "example-machine-key"
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: w.key}, nil)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: id, Subject: id, Audience: jwt.Audience{issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID: id, TokenURL: issuer + "/token", Scopes: []string{"orders.read"}, AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion},
		},
	}
	return config.Token(w.ctx)
}

// ANCHOR_END: key

// readKey reads what `openssl genpkey` writes.
func readKey(file string) any {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		log.Fatalf("%s is no PEM file", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

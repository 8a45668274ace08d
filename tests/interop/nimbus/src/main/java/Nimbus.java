import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.Map;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONValue;

/** Nimbus's OAuth 2.0 SDK as the relying party: lines of JSON out and in. */
public final class Nimbus {
    private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));

    private final OIDCProviderMetadata provider;
    private final ClientID id = new ClientID(System.getenv("CLIENT_ID"));
    private final ClientSecretBasic auth = new ClientSecretBasic(id, new Secret(System.getenv("CLIENT_SECRET")));
    private final URI redirect = URI.create(System.getenv("REDIRECT_URI"));

    private Nimbus() throws Exception {
        provider = OIDCProviderMetadata.resolve(new Issuer(System.getenv("ISSUER")));
    }

    public static void main(String[] arguments) throws Exception {
        new Nimbus().run();
    }

    private void run() throws Exception {
        var tokens = signIn();
        var claims = tokens.getIDToken().getJWTClaimsSet();
        done("sign-in", claims.toJSONObject());

        var person = UserInfoResponse.parse(
            send(new UserInfoRequest(provider.getUserInfoEndpointURI(), tokens.getAccessToken())));
        var info = person.toSuccessResponse().getUserInfo();
        ensure(info.getSubject().getValue().equals(claims.getSubject()), "another person");
        done("userinfo", info.toJSONObject());

        var next = tokens(new RefreshTokenGrant(tokens.getRefreshToken()));
        validate(next, null);
        var access = next.getAccessToken().getValue();
        done("refresh", Map.of("before", tokens.getAccessToken().getValue(), "access_token", access));

        done("introspect", introspect(next.getAccessToken()).toJSONObject());

        var revoked = send(new TokenRevocationRequest(provider.getRevocationEndpointURI(), auth, next.getRefreshToken()));
        ensure(revoked.indicatesSuccess() && !introspect(next.getAccessToken()).isActive(), "still active");
        done("revoke", Map.of("access_token", access));

        var back = open(new LogoutRequest(provider.getEndSessionEndpointURI(), tokens.getIDToken(),
            URI.create(System.getenv("POST_LOGOUT_URI")), new State("bye")).toURI());
        ensure("state=bye".equals(back.getQuery()), "another state: " + back);
        done("logout", Map.of());
    }

    private OIDCTokens signIn() throws Exception {
        var verifier = new CodeVerifier();
        var state = new State();
        var nonce = new Nonce();
        var request = new AuthenticationRequest.Builder(
                ResponseType.CODE, new Scope("openid", "email", "profile"), id, redirect)
            .endpointURI(provider.getAuthorizationEndpointURI())
            .state(state).nonce(nonce).codeChallenge(verifier, CodeChallengeMethod.S256).build();
        var callback = open(request.toURI());
        var answer = AuthenticationResponseParser.parse(callback);
        ensure(state.equals(answer.getState()), "another state: " + callback);
        ensure(provider.getIssuer().equals(answer.getIssuer()), "another issuer");
        var code = answer.toSuccessResponse().getAuthorizationCode();
        var tokens = tokens(new AuthorizationCodeGrant(code, redirect, verifier));
        validate(tokens, nonce);
        return tokens;
    }

    private OIDCTokens tokens(AuthorizationGrant grant) throws Exception {
        var answer = OIDCTokenResponse.parse(send(new TokenRequest(provider.getTokenEndpointURI(), auth, grant)));
        return answer.getOIDCTokens();
    }

    private void validate(OIDCTokens tokens, Nonce nonce) throws Exception {
        var keys = provider.getJWKSetURI().toURL();
        var claims = new IDTokenValidator(provider.getIssuer(), id, JWSAlgorithm.RS256, keys).validate(tokens.getIDToken(), nonce);
        if (claims.getAccessTokenHash() != null) {
            AccessTokenValidator.validate(tokens.getAccessToken(), JWSAlgorithm.RS256, claims.getAccessTokenHash());
        } else {
            ensure(nonce == null, "no at_hash");
        }
    }

    private TokenIntrospectionSuccessResponse introspect(AccessToken token) throws Exception {
        var answer = TokenIntrospectionResponse.parse(
            send(new TokenIntrospectionRequest(provider.getIntrospectionEndpointURI(), auth, token)));
        ensure(answer.indicatesSuccess(), "no answer to an introspection");
        return answer.toSuccessResponse();
    }

    private static HTTPResponse send(Request request) throws Exception {
        return request.toHTTPRequest().send();
    }

    /** Sends the browser to an address; where it came back to. */
    private static URI open(URI url) throws Exception {
        return URI.create(say(Map.of("open", url.toString())).getAsString("callback"));
    }

    private static void done(String step, Map<String, ?> answer) throws Exception {
        say(Map.of("step", step, "ok", true, "answer", answer));
    }

    /** Writes a line; the line that answers it. */
    private static JSONObject say(Map<String, ?> line) throws Exception {
        System.out.println(new JSONObject(line));
        return (JSONObject) JSONValue.parseStrict(IN.readLine());
    }

    private static void ensure(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}

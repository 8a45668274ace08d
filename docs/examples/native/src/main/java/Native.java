import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.sun.net.httpserver.HttpServer;
import java.awt.Desktop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

/** An application on a device: the system's browser signs in, the application never sees a password (RFC 8252). */
public final class Native {
    private static final ClientID ID = new ClientID("example-native");

    private final OIDCProviderMetadata keyward;
    private final HttpServer loopback;
    private final SynchronousQueue<URI> answers = new SynchronousQueue<>();

    // ANCHOR: loopback
    private Native(String issuer) throws Exception {
        keyward = OIDCProviderMetadata.resolve(new Issuer(issuer));
        // Any free port: Keyward compares a native application's loopback address without it.
        loopback = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        loopback.createContext("/", exchange -> {
            var page = "You may close this window.".getBytes();
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
            answers.offer(address("").resolve(exchange.getRequestURI()));
        });
        loopback.start();
    }

    private URI address(String path) {
        return URI.create("http://127.0.0.1:" + loopback.getAddress().getPort() + path);
    }

    /** Sends the system's browser somewhere; where it came back to. */
    private URI browse(URI url) throws Exception {
        if (Desktop.isDesktopSupported() && Desktop.getDesktop().isSupported(Desktop.Action.BROWSE)) {
            Desktop.getDesktop().browse(url);
        } else {
            System.out.println("Open " + url);
        }
        var answer = answers.poll(5, TimeUnit.MINUTES);
        ensure(answer != null, "nobody came back");
        return answer;
    }
    // ANCHOR_END: loopback

    // ANCHOR: signin
    private OIDCTokens signIn() throws Exception {
        var verifier = new CodeVerifier();
        var state = new State();
        var nonce = new Nonce();
        // offline_access: the application stays signed in when the browser's session is over.
        var scope = new Scope("openid", "profile", "email", "offline_access");
        var request = new AuthenticationRequest.Builder(ResponseType.CODE, scope, ID, address("/callback"))
            .endpointURI(keyward.getAuthorizationEndpointURI())
            .state(state).nonce(nonce).codeChallenge(verifier, CodeChallengeMethod.S256).build();
        var answer = AuthenticationResponseParser.parse(browse(request.toURI()));
        ensure(state.equals(answer.getState()) && keyward.getIssuer().equals(answer.getIssuer()), "another's answer");
        ensure(answer.indicatesSuccess(), "refused");
        var code = answer.toSuccessResponse().getAuthorizationCode();
        var tokens = tokens(new AuthorizationCodeGrant(code, address("/callback"), verifier));
        new IDTokenValidator(keyward.getIssuer(), ID, JWSAlgorithm.RS256, keyward.getJWKSetURI().toURL())
            .validate(tokens.getIDToken(), nonce);
        return tokens;
    }

    private OIDCTokens tokens(AuthorizationGrant grant) throws Exception {
        var response = OIDCTokenResponseParser.parse(send(new TokenRequest(keyward.getTokenEndpointURI(), ID, grant)));
        ensure(response.indicatesSuccess(), "no tokens");
        return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
    }
    // ANCHOR_END: signin

    // ANCHOR: use
    public static void main(String[] arguments) throws Exception {
        var application = new Native(System.getenv().getOrDefault("ISSUER", "http://localhost:8080"));
        var first = application.signIn();
        System.out.println("Hello, " + application.name(first));
        // At the next start, or when the access token has run out: no browser, no person.
        var next = application.tokens(new RefreshTokenGrant(first.getRefreshToken()));
        System.out.println("Still " + application.name(next));
        application.signOut(first, next);
        System.out.println("Signed out");
        application.loopback.stop(0);
    }

    private String name(OIDCTokens tokens) throws Exception {
        var request = new UserInfoRequest(keyward.getUserInfoEndpointURI(), tokens.getAccessToken());
        return UserInfoResponse.parse(send(request)).toSuccessResponse().getUserInfo().getName();
    }

    private void signOut(OIDCTokens first, OIDCTokens last) throws Exception {
        send(new TokenRevocationRequest(keyward.getRevocationEndpointURI(), ID, last.getRefreshToken())).ensureStatusCode(200);
        browse(new LogoutRequest(keyward.getEndSessionEndpointURI(), first.getIDToken(), address("/signed-out"), new State()).toURI());
    }
    // ANCHOR_END: use

    private static HTTPResponse send(Request request) throws Exception {
        return request.toHTTPRequest().send();
    }

    private static void ensure(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}

package interop;

import static org.springframework.security.config.Customizer.withDefaults;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Duration;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A server-side web application with Spring Security. */
@SpringBootApplication
public class Spring {
    public static void main(String[] arguments) {
        SpringApplication.run(Spring.class, arguments);
    }

    @Bean
    SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository registrations) throws Exception {
        var requests = new DefaultOAuth2AuthorizationRequestResolver(registrations, "/oauth2/authorization");
        requests.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
        var signedOut = new OidcClientInitiatedLogoutSuccessHandler(registrations);
        signedOut.setPostLogoutRedirectUri(System.getenv("POST_LOGOUT_URI"));
        return http.authorizeHttpRequests(all -> all.requestMatchers("/").permitAll().anyRequest().authenticated())
            .oauth2Login(login -> login.defaultSuccessUrl("/me")
                .authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(requests)))
            .logout(logout -> logout.logoutSuccessHandler(signedOut))
            .oidcLogout(logout -> logout.backChannel(withDefaults()))
            .build();
    }

    /** Every token counts as old, so that each call refreshes. */
    @Bean
    OAuth2AuthorizedClientManager clients(ClientRegistrationRepository registrations, OAuth2AuthorizedClientRepository clients) {
        var manager = new DefaultOAuth2AuthorizedClientManager(registrations, clients);
        manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder()
            .refreshToken(refresh -> refresh.clockSkew(Duration.ofDays(1))).build());
        return manager;
    }
}

@RestController
class Routes {
    private final OAuth2AuthorizedClientManager manager;
    private final OAuth2AuthorizedClientRepository clients;

    Routes(OAuth2AuthorizedClientManager manager, OAuth2AuthorizedClientRepository clients) {
        this.manager = manager;
        this.clients = clients;
    }

    @GetMapping("/")
    String home() {
        return "nobody need be signed in here";
    }

    @GetMapping("/me")
    Map<String, Object> me(@AuthenticationPrincipal OidcUser person) {
        return person.getUserInfo().getClaims();
    }

    @GetMapping("/refresh")
    Map<String, Object> refresh(Authentication person, HttpServletRequest request, HttpServletResponse response) {
        var before = clients.loadAuthorizedClient("keyward", person, request);
        var after = manager.authorize(OAuth2AuthorizeRequest.withAuthorizedClient(before).principal(person)
            .attribute(HttpServletRequest.class.getName(), request)
            .attribute(HttpServletResponse.class.getName(), response).build());
        return Map.of("before", before.getAccessToken().getTokenValue(), "access_token", after.getAccessToken().getTokenValue());
    }

    @GetMapping("/introspect")
    Map<String, Object> introspect(Authentication person, HttpServletRequest request) {
        var client = clients.loadAuthorizedClient("keyward", person, request);
        var application = client.getClientRegistration();
        var endpoint = application.getProviderDetails().getConfigurationMetadata().get("introspection_endpoint");
        var introspector = SpringOpaqueTokenIntrospector.withIntrospectionUri(endpoint.toString())
            .clientId(application.getClientId()).clientSecret(application.getClientSecret()).build();
        return introspector.introspect(client.getAccessToken().getTokenValue()).getAttributes();
    }
}

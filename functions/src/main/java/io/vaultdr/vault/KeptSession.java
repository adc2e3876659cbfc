package io.vaultdr.vault;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.Map;
import java.util.function.Function;

/**
 * Keeps a token between the invocations of a warm function that runs each minute, where logging in
 * and revoking would each time cost more than what the function does. What runs rarely logs in and
 * revokes instead: {@link Login.Session}.
 *
 * <p>Before each use the server is asked for the token's life. It doesn't know the token any more
 * where that ended, was revoked, or a snapshot from before it was restored: then there is a new
 * login. In the last third of its life the token is renewed; where the server renews it no longer
 * and it ends soon, it is revoked and replaced. An environment that Lambda ends leaves its token to
 * its time to live, twenty minutes by {@code VaultSetup}.
 */
public final class KeptSession {
    private static final Logger LOG = LoggerFactory.getLogger(KeptSession.class);

    /** Longer than any use of it takes. */
    private static final Duration LEAST = Duration.ofMinutes(2);

    private final Function<VaultClient, Login.Session> login;
    private final Duration least;
    private Login.@Nullable Session kept;

    /** Logs in by {@code login} where no token is kept. */
    public KeptSession(Function<VaultClient, Login.Session> login) {
        this(login, LEAST);
    }

    /**
     * @param least what is left of a token's life at its use
     */
    KeptSession(Function<VaultClient, Login.Session> login, Duration least) {
        this.login = login;
        this.least = least;
    }

    /**
     * A session at {@code node}, any of the cluster's, that lives long enough for one use. Closing
     * it would revoke its token: leave it open.
     *
     * @throws Failure as {@link Login#to(io.vaultdr.runtime.PairSettings.Cluster, VaultClient,
     *     Login.Intent)}, or where the node doesn't answer
     */
    public synchronized Login.Session at(VaultClient node) {
        if (kept != null) {
            Login.Session here = new Login.Session(node, kept.token(), kept.version());
            if (lives(here)) {
                return here;
            }
            kept = null;
        }
        Login.Session fresh = login.apply(node);
        kept = fresh;
        return fresh;
    }

    private boolean lives(Login.Session known) {
        JsonNode token;
        try {
            token = known.node().read(known.token(), "auth/token/lookup-self");
        } catch (Failure.Terminal e) {
            LOG.info("The kept token is not known any more: {}", e.getMessage());
            return false;
        }
        Duration left = Duration.ofSeconds(token.path("ttl").asLong());
        Duration whole = Duration.ofSeconds(token.path("creation_ttl").asLong());
        if (left.multipliedBy(3).compareTo(whole) <= 0) {
            left = renewed(known, left);
        }
        if (left.compareTo(least) >= 0) {
            return true;
        }
        known.close();
        return false;
    }

    /** What is left of its life after a try to renew it. */
    private static Duration renewed(Login.Session known, Duration left) {
        try {
            Secret token = known.token();
            long seconds =
                    known.node()
                            .write(token, "auth/token/renew-self", Map.of())
                            .path("auth")
                            .path("lease_duration")
                            .asLong();
            return Duration.ofSeconds(seconds);
        } catch (Failure e) {
            LOG.warn("The kept token was not renewed and ends in {}", left, e);
            return left;
        }
    }
}

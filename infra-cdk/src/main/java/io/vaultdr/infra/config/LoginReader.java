package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.runtime.PairSettings.Edition;

import java.util.Optional;

/** Reads how functions log in to a cluster. */
record LoginReader(String approle, Optional<AwsLogin> aws) {
    static final String EXPECTED = "{ approle: the prefix of its secrets }";

    static LoginReader read(Section section) {
        LoginReader login =
                new LoginReader(
                        section.required("approle", Kind.SECRET),
                        section.section("aws").map(LoginReader::aws));
        section.finish();
        return login;
    }

    /** An AWS auth method. */
    static AwsLogin aws(Section section) {
        AwsLogin login =
                new AwsLogin(
                        section.optional("mount", Kind.AUTH_MOUNT).orElse("aws"),
                        section.optional("serverId", Kind.TEXT));
        section.finish();
        return login;
    }

    /** What is only wrong together with something else. */
    static void together(Pair pair, Section section, Optional<String> account) {
        Optional<AwsLogin> home = pair.home().awsLogin();
        Optional<AwsLogin> dr = pair.dr().flatMap(Cluster::awsLogin);
        if (home.isEmpty() && dr.isEmpty()) {
            return;
        }
        if (pair.edition() == Edition.VAULT && pair.made()) {
            section.mistake(
                    "cluster",
                    "a login by aws",
                    "AppRoles: InitializeCluster sets up no other login");
        }
        if (pair.edition() != Edition.VAULT && !pair.made()) {
            section.mistake(
                    "edition",
                    "openbao with a login by aws",
                    "vault, or login: { approle } alone: OpenBao has no AWS auth method built in");
        }
        if (pair.dr().isPresent() && !home.equals(dr)) {
            section.mistake(
                    "dr",
                    "another login by aws than home's",
                    "the same mount and serverId: the DR side gets both with the snapshot");
        }
        if (account.isEmpty() && !pair.made()) {
            section.mistake(
                    "home",
                    "a login by aws without account",
                    "'account' at the top as well: whose roles may log in mustn't hang on who is"
                            + " signed in");
        }
    }
}

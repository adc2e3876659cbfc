package io.vaultdr.infra.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.Clusters;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** For a made cluster, and for functions that log in by AWS. */
class SetupScriptVariantsIT extends SetupScriptCases {
    @Test
    void forAMadeClusterItPutsBackWhatTheFunctionsTendAndAutopilotOnlyWhereAsked()
            throws Exception {
        PairSettings made = Clusters.pair(Clusters.made(cluster.addresses()));

        Run first = run(made, Map.of());

        assertEquals(0, first.status(), first.output());
        assertTrue(first.output().contains("autopilot: unchanged"), first.output());
        assertTrue(first.output().contains("audit device: none"), first.output());
        for (Intent intent : List.of(Intent.RETIRE, Intent.CONFIGURE)) {
            assertTrue(
                    first.output().contains("policy and role vault-dr-" + intent + ": written"),
                    first.output());
            assertFalse(stored(HOME, "payments-vault-dr", intent).isEmpty());
        }
        assertEquals(1000, trailing());

        Run asked = run(made, Map.of("AUTOPILOT", "1"));

        assertEquals(0, asked.status(), asked.output());
        assertTrue(asked.output().contains("autopilot: written"), asked.output());
        assertEquals(100_000, trailing());
    }

    private static long trailing() {
        return cluster.call("GET", "sys/storage/raft/autopilot/configuration", null)
                .expect()
                .data()
                .path("max_trailing_logs")
                .asLong();
    }

    /** Vault's AWS auth method as it is documented; all else is answered by the real server. */
    private static final String VAULT =
            """
            #!/bin/sh
            state='@STATE@'
            case "$*" in
              'auth list -format=json')
                [ -e "$state/enabled" ] && printf '{ "approle/": {}, "team/aws/": {} }' && exit ;;
              'auth enable -path=team/aws aws')
                touch "$state/enabled"; exit ;;
              'read -format=json auth/team/aws/config/client')
                cat "$state/client"; exit ;;
              'write auth/team/aws/config/client use_sts_region_from_client=true iam_server_id_header_value='*)
                printf '{ "data": { "iam_server_id_header_value": "%s", "use_sts_region_from_client": true } }' \
                  "${4#*=}" > "$state/client"; exit ;;
              'write auth/team/aws/role/'*)
                printf '%s\\n' "$*" >> "$state/roles"; exit ;;
            esac
            exec bao "$@"
            """;

    @Test
    void functionsThatLogInByAwsGetRolesHeldToTheirArnsAndTheOthersTheirSecrets() throws Exception {
        Path state = Files.createDirectory(directory.resolve("aws"));
        Path vault =
                Files.writeString(
                        commands.resolve("vault"), VAULT.replace("@STATE@", state.toString()));
        assertTrue(vault.toFile().setExecutable(true));
        PairSettings pair = byAws();
        Map<String, String> signedIn =
                Map.of(
                        "VAULT_ADDR",
                        cluster.leader().address().toString(),
                        "VAULT_TOKEN",
                        cluster.rootToken());

        Run first = run(pair, signedIn);
        assertEquals(0, first.status(), first.output());
        assertTrue(first.output().contains("auth method team/aws: enabled"), first.output());
        List<String> roles = Files.readAllLines(state.resolve("roles"));
        assertEquals(2, roles.size(), roles.toString());
        String common =
                " token_no_default_policy=true token_type=service token_ttl=1200"
                        + " token_max_ttl=3600 auth_type=iam bound_iam_principal_arn=@ARNS@"
                        + " resolve_aws_unique_ids=false";
        for (String purpose : List.of("take-snapshot", "rotate-logins")) {
            String intent = purpose.equals("take-snapshot") ? "snapshot" : "rotate";
            assertTrue(
                    roles.contains(
                            "write auth/team/aws/role/vault-dr-"
                                    + intent
                                    + " token_policies=vault-dr-"
                                    + intent
                                    + common.replace(
                                            "@ARNS@",
                                            roleArn(HOME, purpose) + "," + roleArn(DR, purpose))),
                    roles.toString());
        }
        assertEquals(
                Set.of("verify", "grow", "prove", "recover"),
                Login.by(moto.clients().secretsManager(HOME))
                        .versions("aws/vault-dr", Intent.of(false))
                        .keySet());
        String rotates =
                cluster.call("GET", "sys/policies/acl/vault-dr-rotate", null)
                        .expect()
                        .data()
                        .path("policy")
                        .asText();
        assertTrue(rotates.contains("role/vault-dr-verify/secret-id"), rotates);
        assertFalse(rotates.contains("role/vault-dr-snapshot"), rotates);

        Run second = run(pair, signedIn);
        assertEquals(0, second.status(), second.output());
        assertTrue(second.output().contains("auth method team/aws: unchanged"), second.output());
        assertTrue(second.output().contains("vault-dr-verify: unchanged"), second.output());

        // A mount that is somebody else's stays as it is.
        String theirs =
                "{ \"iam_server_id_header_value\": \"@\", \"use_sts_region_from_client\": # }";
        Path client = state.resolve("client");
        for (String[] other : new String[][] {{"it's", "false"}, {"theirs", "true"}}) {
            String before = theirs.replace("@", other[0]).replace("#", other[1]);
            Files.writeString(client, before);
            Run refused = run(pair, signedIn);
            assertEquals(1, refused.status());
            assertTrue(
                    refused.output()
                            .contains(
                                    other[1].equals("false")
                                            ? "use_sts_region_from_client=true"
                                            : "login.aws.serverId"),
                    refused.output());
            assertEquals(before, Files.readString(client));
        }
    }

    private static PairSettings byAws() {
        PairSettings plain = pair();
        PairSettings.Cluster home = plain.home();
        List<PairSettings.Cluster> both =
                Stream.of(HOME, DR)
                        .map(
                                region ->
                                        new PairSettings.Cluster(
                                                region,
                                                home.address(),
                                                home.nodes(),
                                                Optional.empty(),
                                                "aws/vault-dr",
                                                Optional.empty(),
                                                Optional.empty(),
                                                1,
                                                Optional.of(
                                                        new PairSettings.AwsLogin(
                                                                "team/aws", Optional.of("it's"))),
                                                Optional.empty()))
                        .toList();
        return new PairSettings(
                plain.pair(),
                PairSettings.Edition.VAULT,
                plain.stage(),
                plain.account(),
                both.getFirst(),
                Optional.of(both.getLast()),
                plain.buckets(),
                plain.vantages(),
                plain.failover(),
                plain.traffic(),
                plain.slot(),
                plain.snapshotEvery(),
                plain.topicArn());
    }
}

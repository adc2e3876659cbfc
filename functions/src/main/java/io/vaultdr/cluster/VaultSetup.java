package io.vaultdr.cluster;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.vault.Login.Intent;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * All that this project wants of a Vault service, described once: the canary's mount, and for each
 * {@link Intent} a policy and a role. The DR cluster gets all of it with the first restore.
 *
 * @param recover the KV paths that {@code restore --only} may read, mount first, {@code *} at the
 *     end for all below; none: there is no such login
 * @param made whether the CDK app made the pair's cluster on either side, whose peers and settings
 *     are then tended to
 * @param aws the auth method of functions that log in by their own AWS role; empty: all do by
 *     AppRole
 */
public record VaultSetup(List<String> recover, boolean made, Optional<AwsLogin> aws) {
    /** Where the canary lives: a KV version 2 secrets engine of its own. */
    public static final String MOUNT = "vault-dr";

    /** The auth method that the roles belong to, at the path of the same name. */
    public static final String AUTH_METHOD = "approle";

    /** A rule as it is written here, one a line. */
    private static final Pattern RULE =
            Pattern.compile("path \"([^\"]+)\"\\s*\\{ capabilities = \\[([^]]+)] }");

    public VaultSetup {
        recover = List.copyOf(recover);
    }

    /** What is wanted of a cluster that was brought, where every login is by AppRole. */
    public VaultSetup(List<String> recover) {
        this(recover, false);
    }

    /** The same of one that may have been made. */
    public VaultSetup(List<String> recover, boolean made) {
        this(recover, made, Optional.empty());
    }

    /**
     * An ACL policy.
     *
     * @param purpose what may be done with it and by whom, one line
     * @param rules in HCL
     */
    public record Policy(String name, String purpose, String rules) {}

    /**
     * A role of an auth method.
     *
     * @param values as the server takes them: texts, whole numbers (durations in seconds), booleans
     */
    public record Role(String path, Map<String, Object> values) {}

    /** Who logs in to restored copies. */
    public static final Set<Intent> PROVERS =
            Collections.unmodifiableSet(EnumSet.of(Intent.PROVE, Intent.RECOVER));

    /**
     * Where the logins' secrets lie.
     *
     * @param login the prefix of their names
     * @param copy whether it is in the account of the copy, which gets the {@link #PROVERS} only
     */
    public record Place(String region, String login, boolean copy) {}

    /** Every place of the logins of {@code pair}; home's first. */
    public static List<Place> places(PairSettings pair) {
        List<Place> places = new ArrayList<>();
        String login = pair.home().login();
        places.add(new Place(pair.home().region(), login, false));
        pair.dr().ifPresent(dr -> places.add(new Place(dr.region(), dr.login(), false)));
        if (pair.dr().isEmpty() && pair.stage() == PairSettings.Stage.PROVEN) {
            // The prover logs in where the copies are, where no cluster is.
            pair.own().stream()
                    .map(bucket -> new Place(bucket.region(), login, false))
                    .forEach(places::add);
        }
        copy(pair).ifPresent(bucket -> places.add(new Place(bucket.region(), login, true)));
        return places.stream().distinct().toList();
    }

    /** The bucket in another account than home's, where snapshots are proven in that account. */
    public static Optional<PairSettings.Bucket> copy(PairSettings pair) {
        return pair.buckets().stream()
                .filter(bucket -> !pair.own().contains(bucket))
                .filter(_ -> pair.stage().compareTo(PairSettings.Stage.PROVEN) >= 0)
                .findFirst();
    }

    /** The logins that home's account can replace wherever they lie. */
    public static Set<Intent> rotated(PairSettings pair) {
        Set<Intent> rotated = EnumSet.copyOf(intents(pair));
        if (copy(pair).isPresent()) {
            rotated.removeAll(PROVERS);
        }
        rotated.removeIf(intent -> !byAppRole(intent, pair.home().awsLogin()));
        return rotated;
    }

    /** The logins that the clusters of {@code pair} have, with the one that only some want. */
    public static Set<Intent> intents(PairSettings pair) {
        return Intent.of(pair.made());
    }

    /** The logins that there are to be. */
    public List<Intent> intents() {
        return Intent.of(made).stream()
                .filter(intent -> intent != Intent.RECOVER || !recover.isEmpty())
                .toList();
    }

    /** Those of them that have an AppRole, and a secret. */
    public List<Intent> appRoles() {
        return intents().stream().filter(intent -> byAppRole(intent, aws)).toList();
    }

    /** Those of them that log in by AWS. */
    public List<Intent> awsRoles() {
        return intents().stream().filter(intent -> !byAppRole(intent, aws)).toList();
    }

    private static boolean byAppRole(Intent intent, Optional<AwsLogin> aws) {
        return aws.isEmpty() || intent.restored();
    }

    /** What the role of {@code intent} may do. */
    public Policy policy(Intent intent) {
        return new Policy(intent.role(), purpose(intent), rules(intent));
    }

    /** The capabilities that the policy of {@code intent} gives, by path. */
    public Map<String, Set<String>> needs(Intent intent) {
        Map<String, Set<String>> needs = new TreeMap<>();
        Matcher rule = RULE.matcher(rules(intent));
        while (rule.find()) {
            needs.put(
                    rule.group(1),
                    Stream.of(rule.group(2).split(",", -1))
                            .map(it -> it.strip().replace("\"", ""))
                            .collect(Collectors.toCollection(TreeSet::new)));
        }
        return needs;
    }

    /** Where autopilot's settings are read and written. */
    public static final String AUTOPILOT = "sys/storage/raft/autopilot/configuration";

    /**
     * Autopilot's settings of a made cluster. Servers that don't answer are removed by RetirePeer
     * long before; where that doesn't run, autopilot does it after a day, and never below what is
     * left of the cluster when its majority is. Logs are trailed so far that a node that was away,
     * or joins under load, catches up without a snapshot.
     *
     * @param nodes of the complete cluster
     * @see <a
     *     href="https://openbao.org/api-docs/system/storage/raftautopilot/#set-configuration">Set
     *     configuration</a>
     */
    public static Map<String, Object> autopilot(int nodes) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("cleanup_dead_servers", true);
        values.put("dead_server_last_contact_threshold", "24h0m0s");
        values.put("last_contact_threshold", "10s");
        values.put("max_trailing_logs", 100_000);
        values.put("min_quorum", Math.max(3, nodes / 2 + 1));
        values.put("server_stabilization_time", "10s");
        return values;
    }

    /** The AppRole of {@code intent}; a secret id is valid until it is destroyed. */
    public static Role role(Intent intent) {
        Map<String, Object> values = token(intent);
        values.put("secret_id_ttl", 0);
        values.put("secret_id_num_uses", 0);
        return new Role("auth/" + AUTH_METHOD + "/role/" + intent.role(), values);
    }

    /**
     * The role of {@code intent} for AWS roles, held to their names: the server then asks IAM for
     * nothing, whose only endpoint is in us-east-1, and needs no permission there. A role that was
     * deleted and made anew under its name, as a deployment may do, still logs in.
     *
     * @param arns of the functions' roles, in every region
     * @see <a href="https://developer.hashicorp.com/vault/api-docs/auth/aws#create-update-role">A
     *     role of the AWS auth method</a>
     */
    public static Role awsRole(AwsLogin aws, Intent intent, List<String> arns) {
        Map<String, Object> values = token(intent);
        values.put("auth_type", "iam");
        values.put("bound_iam_principal_arn", String.join(",", arns));
        values.put("resolve_aws_unique_ids", false);
        return new Role("auth/" + aws.mount() + "/role/" + intent.role(), values);
    }

    /** The purpose of the function that logs in with {@code intent} where it serves. */
    public static String function(Intent intent) {
        return switch (intent) {
            case SNAPSHOT -> "take-snapshot";
            case ROTATE -> "rotate-logins";
            case VERIFY -> "verify";
            case GROW -> "grow";
            case PROVE -> "prove-snapshot";
            case RECOVER -> "restore-secret";
            case RETIRE -> "retire-peer";
            case CONFIGURE -> "initialize-cluster";
        };
    }

    private static Map<String, Object> token(Intent intent) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("token_policies", intent.role());
        values.put("token_no_default_policy", true);
        values.put("token_type", "service");
        values.put("token_ttl", 1200);
        values.put("token_max_ttl", 3600);
        return values;
    }

    private static String purpose(Intent intent) {
        return switch (intent) {
            case SNAPSHOT ->
                    "TakeSnapshot: reads snapshots, writes the canary, reads what audit files a"
                            + " restored server will want to open.";
            case VERIFY -> "Promote and Verify: read the canary back, write beside it.";
            case GROW -> "Grow: watches nodes join and tells autopilot what to expect.";
            case PROVE ->
                    "ProveSnapshot, on a restored copy: reads the canary back and counts mounts,"
                            + " policies, entities and keys.";
            case RECOVER -> "restore --only, on a restored copy: reads what was lost by mistake.";
            case ROTATE -> "RotateLogins: issues and destroys the secret ids of these logins.";
            case RETIRE ->
                    "RetirePeer: removes the peers of instances that go; a leader steps down"
                            + " first.";
            case CONFIGURE -> "InitializeCluster: reads back what it set up, changes nothing.";
        };
    }

    /** Own rules, and what every token may do with itself. */
    private String rules(Intent intent) {
        return own(intent)
                + """
                path "auth/token/lookup-self" { capabilities = ["read"] }
                path "auth/token/renew-self"  { capabilities = ["update"] }
                path "auth/token/revoke-self" { capabilities = ["update"] }
                path "sys/capabilities-self"  { capabilities = ["update"] }
                """;
    }

    private String own(Intent intent) {
        return switch (intent) {
            case SNAPSHOT ->
                    """
                    path "sys/storage/raft/snapshot" { capabilities = ["read"] }
                    path "vault-dr/data/canary"      { capabilities = ["create", "read", "update"] }
                    path "sys/audit"                 { capabilities = ["read", "sudo"] }
                    """;
            case VERIFY ->
                    """
                    path "vault-dr/data/canary" { capabilities = ["read"] }
                    path "vault-dr/data/verify" { capabilities = ["create", "read", "update"] }
                    """;
            case GROW ->
                    """
                    path "sys/storage/raft/configuration"           { capabilities = ["read"] }
                    path "sys/storage/raft/autopilot/state"         { capabilities = ["read"] }
                    path "sys/storage/raft/autopilot/configuration" { capabilities = ["read", "update"] }
                    """;
            // Engines are mounted up to three names deep; deeper ones are not counted.
            case PROVE ->
                    """
                    path "vault-dr/data/canary" { capabilities = ["read"] }
                    path "sys/mounts"           { capabilities = ["read"] }
                    path "sys/auth"             { capabilities = ["read"] }
                    path "sys/policies/acl"     { capabilities = ["list"] }
                    path "identity/entity/id"   { capabilities = ["list"] }
                    path "+/metadata/*"         { capabilities = ["list"] }
                    path "+/+/metadata/*"       { capabilities = ["list"] }
                    path "+/+/+/metadata/*"     { capabilities = ["list"] }
                    """;
            case RECOVER ->
                    recover.stream().flatMap(VaultSetup::splits).collect(Collectors.joining());
            case ROTATE ->
                    appRoles().stream()
                            .map(
                                    it ->
                                            """
                                            path "@ROLE@/role-id"                    { capabilities = ["read"] }
                                            path "@ROLE@/secret-id"                  { capabilities = ["list", "update"] }
                                            path "@ROLE@/secret-id-accessor/lookup"  { capabilities = ["update"] }
                                            path "@ROLE@/secret-id-accessor/destroy" { capabilities = ["update"] }
                                            """
                                                    .replace("@ROLE@", role(it).path()))
                            .collect(Collectors.joining());
            case RETIRE ->
                    """
                    path "sys/storage/raft/configuration"   { capabilities = ["read"] }
                    path "sys/storage/raft/autopilot/state" { capabilities = ["read"] }
                    path "sys/storage/raft/remove-peer"     { capabilities = ["update"] }
                    path "sys/step-down"                    { capabilities = ["update", "sudo"] }
                    """;
            case CONFIGURE ->
                    """
                    path "sys/storage/raft/autopilot/configuration" { capabilities = ["read"] }
                    path "sys/audit"                                { capabilities = ["read", "sudo"] }
                    path "sys/mounts"                               { capabilities = ["read"] }
                    path "sys/auth"                                 { capabilities = ["read"] }
                    path "sys/policies/acl/vault-dr-*"              { capabilities = ["read"] }
                    path "auth/approle/role/vault-dr-*"             { capabilities = ["read"] }
                    """;
        };
    }

    /**
     * Both paths of a KV version 2 secret. Where the engine's mount ends can't be told from the
     * path, so each possible end gets its rules.
     */
    private static Stream<String> splits(String path) {
        return IntStream.range(1, path.length() - 1)
                .filter(at -> path.charAt(at) == '/')
                .boxed()
                .flatMap(at -> Stream.of("data", "metadata").map(kind -> rule(path, at, kind)));
    }

    private static String rule(String path, int mount, String kind) {
        return "path \"%s/%s%s\" { capabilities = [\"read\"] }\n"
                .formatted(path.substring(0, mount), kind, path.substring(mount));
    }
}

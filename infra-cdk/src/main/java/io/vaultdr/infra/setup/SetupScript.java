package io.vaultdr.infra.setup;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.cluster.VaultSetup.Place;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.AwsLogin;
import io.vaultdr.vault.Login.Intent;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes the script that prepares a pair's serving cluster: the KV mount of the canary, a policy
 * and a role per intent, and the AppRoles' credentials in Secrets Manager of each cluster's region.
 * A person reads it and runs it; nothing of ours holds the token that it needs.
 *
 * <p>The DR cluster needs none of it: it gets all with the first restore.
 */
public final class SetupScript {
    private SetupScript() {}

    /** Who logs in to restored copies. */
    private static final String PROVERS =
            VaultSetup.PROVERS.stream().map(Intent::toString).collect(Collectors.joining("|"));

    private static final String HEAD =
            """
            #!/bin/sh
            # Prepares the Vault service "@PAIR@" for vault-dr. Read it, then run it where both
            # @SERVER@ and aws work:
            #
            #   @ADDRESS_VARIABLE@=@ADDRESS@ sh setup.sh
            #
            # It needs a token that may write policies, mounts and auth methods, and AWS credentials
            # that may get (in a batch too), create and put the secrets named below. Run it again at
            # any time: what is there and works stays as it is. With ROTATE=1 it issues new secret ids, as the
            # function RotateLogins does by itself before they are thirty days old; that one also
            # destroys those that no region uses and no snapshot knows any more. What lies in another
            # account only this script replaces.
            #
            # No secret is ever an argument of a command, so none shows in a process list.
            set -eu
            umask 077
            export AWS_PAGER=''

            say() { printf '%s\\n' "$*"; }
            fail() { printf 'setup: %s\\n' "$*" >&2; exit 1; }

            for tool in @SERVER@ aws sed; do
              command -v "$tool" >/dev/null || fail "$tool is not on the PATH: install it first"
            done
            @SERVER@ token lookup >/dev/null ||
              fail "no valid token: set @ADDRESS_VARIABLE@ and log in with @SERVER@ login"

            # The canary lives in a mount of its own.
            if mount=$(@SERVER@ read -format=json sys/mounts/@MOUNT@ 2>/dev/null); then
              case $mount in
                *'"version": "2"'*) say "mount @MOUNT@: unchanged" ;;
                *) fail "mount @MOUNT@ exists and is no KV engine of version 2: move it away" ;;
              esac
            else
              @SERVER@ secrets enable -path=@MOUNT@ -version=2 kv >/dev/null
              say "mount @MOUNT@: enabled"
            fi

            methods=$(@SERVER@ auth list -format=json)
            case $methods in
              *'"@METHOD@/"'*) say "auth method @METHOD@: unchanged" ;;
              *) @SERVER@ auth enable @METHOD@ >/dev/null; say "auth method @METHOD@: enabled" ;;
            esac
            """;

    private static final String COPY =
            """

            # What the prover logs in with lies in the account of the copy.
            profile=${COPY_PROFILE:-}
            [ -n "$profile" ] || fail "COPY_PROFILE names no AWS profile of account @COPY@"
            signed_in=$(aws --profile "$profile" sts get-caller-identity --query Account \\
              --output text)
            [ "$signed_in" = @COPY@ ] ||
              fail "COPY_PROFILE=$profile is signed in to account $signed_in, not to @COPY@"
            """;

    private static final String POLICY =
            """

            # @PURPOSE@
            @SERVER@ policy write @NAME@ - >/dev/null <<'POLICY'
            @RULES@POLICY
            @SERVER@ write @ROLE@ @VALUES@ >/dev/null
            say "policy and role @NAME@: written"
            """;

    private static final String CARE =
            """

            # Autopilot's settings are those of a cluster that the CDK app makes. They are written
            # only with AUTOPILOT=1: a cluster that was brought may have reasons for others.
            if [ -n "${AUTOPILOT:-}" ]; then
              @SERVER@ write @AUTOPILOT_PATH@ @AUTOPILOT@ >/dev/null
              say "autopilot: written"
            else
              say "autopilot: unchanged; read what this script would write, then AUTOPILOT=1"
            fi
            case $(@SERVER@ audit list -format=json 2>/dev/null || :) in
              *'"type"'*) say "audit device: there is one" ;;
              *) say "audit device: none; enable one, whose file exists on every node and on those" \
                   "that a snapshot is restored to" ;;
            esac
            """;

    /** A mount that others use as well is theirs: what it lacks is told, and left to a person. */
    private static final String AWS =
            """

            # Functions that act on the serving cluster log in by their own AWS role. The server
            # asks STS of the region that the caller signed for, so that none depends on another.
            method='@AWS_MOUNT@' wanted='@SERVER_ID@'
            case $methods in
              *'"@AWS_MOUNT@/"'*)
                config=$(@SERVER@ read -format=json "auth/$method/config/client" 2>/dev/null) || config=''
                case $config in
                  *'"use_sts_region_from_client": true'*) ;;
                  *) fail "auth method $method doesn't ask STS of the caller's region: look who else \
            uses it, then: @SERVER@ write auth/$method/config/client use_sts_region_from_client=true" ;;
                esac
                case $config in
                  *'"iam_server_id_header_value": "'"$wanted"'"'*) ;;
                  *) fail "auth method $method wants another server id than '$wanted': set \
            login.aws.serverId of the pair to its iam_server_id_header_value" ;;
                esac
                say "auth method $method: unchanged" ;;
              *)
                @SERVER@ auth enable -path="$method" aws >/dev/null
                @SERVER@ write "auth/$method/config/client" use_sts_region_from_client=true \
                  iam_server_id_header_value="$wanted" >/dev/null
                say "auth method $method: enabled" ;;
            esac
            """;

    private static final String STORE =
            """

            # The value of one field of a JSON answer on standard input; ours are all plain words.
            field() { sed -n 's/.*"'"$1"'": *"\\([^"]*\\)".*/\\1/p'; }

            # What all secrets of a region ($1) hold, a line each with its name: $2 is a profile or
            # empty, the names follow. One call, as each takes the command a second to start.
            all_of() {
              region=$1 account=$2
              shift 2
              aws ${account:+--profile "$account"} secretsmanager batch-get-secret-value \\
                --region "$region" --secret-id-list "$@" --output text --query \\
                '[SecretValues[].[`is`,Name,SecretString],Errors[].[`error`,SecretId,ErrorCode]][]' \\
                </dev/null || fail "the secrets of $region can't be read"
            }

            # What one of them ($2) holds; nothing where there is none. $1 are all.
            stored() {
              printf '%s\\n' "$1" | while IFS='\t' read -r kind name value; do
                case $kind:$name:$value in
                  "is:$2:"*) printf '%s' "$value" ;;
                  "error:$2:ResourceNotFoundException") ;;
                  "error:$2:"*) fail "secret $2 can't be read: $value" ;;
                esac
              done
            }

            # Stores the value. The version is named by the secret id's accessor (no secret), so that
            # it has the same name in every region. $3 tells whether there is one, $4 is a profile or
            # empty. One without a value is there as well.
            store() {
              if [ -z "$3" ]; then
                created=$(printf '%s' "$value" |
                  aws ${4:+--profile "$4"} secretsmanager create-secret --region "$1" --name "$2" \\
                    --client-request-token "$accessor" \\
                    --description "vault-dr logs in to @PAIR@ with this" \\
                    --secret-string file:///dev/stdin 2>&1) && return
                case $created in
                  *ResourceExistsException*) ;;
                  *) fail "secret $2 wasn't made in $1: $created" ;;
                esac
              fi
              printf '%s' "$value" |
                aws ${4:+--profile "$4"} secretsmanager put-secret-value --region "$1" --secret-id "$2" \\
                  --client-request-token "$accessor" \\
                  --secret-string file:///dev/stdin >/dev/null
            }

            works() {
              [ -n "$1" ] && [ -z "${ROTATE:-}" ] &&
                @SERVER@ write "$2/secret-id-accessor/lookup" \\
                  secret_id_accessor="$1" >/dev/null 2>&1
            }

            credentials() {
              intent=$1 role=$2 name=${2##*/}
            @READ@
              if @SAME@ && works "$accessor_1" "$role"; then
                say "credentials of $name: unchanged"
                return
              fi
              role_id=$(@SERVER@ read -field=role_id "$role/role-id")
              issued=$(@SERVER@ write -f -format=json "$role/secret-id")
              secret_id=$(printf '%s' "$issued" | field secret_id)
              accessor=$(printf '%s' "$issued" | field secret_id_accessor)
              [ -n "$role_id" ] && [ -n "$secret_id" ] && [ -n "$accessor" ] ||
                fail "no secret id was issued for $name: look at the server's log"
              value=$(printf '{"role_id": "%s", "secret_id": "%s", "secret_id_accessor": "%s"}' \\
                "$role_id" "$secret_id" "$accessor")
            @WRITE@
            @WRITTEN@
            }

            @ALL@
            """;

    /** The ARN of the role of a function. */
    public interface Roles {
        /** That of the function with that purpose in {@code region}. */
        String arn(String region, String purpose);
    }

    /**
     * The script for {@code pair}; POSIX sh, for {@code bao} or {@code vault} by its edition.
     *
     * @param recover the KV paths that {@code restore --only} may read, mount first, {@code *} at
     *     the end for all below; none: there is no such login
     * @param roles whose those are that log in by AWS
     */
    public static String of(PairSettings pair, List<String> recover, Roles roles) {
        StringBuilder script = new StringBuilder(HEAD);
        Optional<PairSettings.Bucket> copy = VaultSetup.copy(pair);
        copy.ifPresent(it -> script.append(COPY.replace("@COPY@", it.account())));
        Optional<AwsLogin> aws = pair.home().awsLogin();
        aws.ifPresent(
                it ->
                        script.append(
                                AWS.replace("@AWS_MOUNT@", it.mount())
                                        .replace("@SERVER_ID@", plain(it.serverId().orElse("")))));
        VaultSetup setup = new VaultSetup(recover, pair.made(), aws);
        for (Intent intent : setup.intents()) {
            VaultSetup.Policy policy = setup.policy(intent);
            VaultSetup.Role role =
                    setup.awsRoles().contains(intent)
                            ? VaultSetup.awsRole(
                                    aws.orElseThrow(), intent, arns(pair, intent, roles))
                            : VaultSetup.role(intent);
            script.append(
                    POLICY.replace("@PURPOSE@", policy.purpose())
                            .replace("@RULES@", policy.rules())
                            .replace("@NAME@", policy.name())
                            .replace("@ROLE@", role.path())
                            .replace("@VALUES@", arguments(role.values())));
        }
        script.append(
                CARE.replace("@AUTOPILOT_PATH@", VaultSetup.AUTOPILOT)
                        .replace(
                                "@AUTOPILOT@",
                                arguments(VaultSetup.autopilot(pair.home().voters()))
                                        .replace("\n", "\n  ")));
        List<Place> places = VaultSetup.places(pair);
        script.append(
                STORE.replace("@READ@\n", each(places, SetupScript::read))
                        .replace("@SAME@", same(places.size()))
                        .replace("@WRITE@\n", each(places, SetupScript::write))
                        .replace("@WRITTEN@\n", each(places, SetupScript::written))
                        .replace(
                                "@ALL@\n",
                                each(
                                        places,
                                        (number, place) -> all(number, place, setup.appRoles()))));
        for (Intent intent : setup.appRoles()) {
            script.append("credentials %s %s\n".formatted(intent, VaultSetup.role(intent).path()));
        }
        boolean openBao = pair.edition() == PairSettings.Edition.OPENBAO;
        return script.toString()
                .replace("@PAIR@", pair.pair().value())
                .replace("@MOUNT@", VaultSetup.MOUNT)
                .replace("@METHOD@", VaultSetup.AUTH_METHOD)
                .replace("@SERVER@", openBao ? "bao" : "vault")
                .replace("@ADDRESS_VARIABLE@", openBao ? "BAO_ADDR" : "VAULT_ADDR")
                .replace("@ADDRESS@", pair.home().address().toString());
    }

    private static List<String> arns(PairSettings pair, Intent intent, Roles roles) {
        return Stream.concat(Stream.of(pair.home()), pair.dr().stream())
                .map(cluster -> roles.arn(cluster.region(), VaultSetup.function(intent)))
                .toList();
    }

    private static String arguments(Map<String, Object> values) {
        return values.entrySet().stream()
                .map(it -> it.getKey() + "=" + it.getValue())
                .collect(Collectors.joining(" \\\n  ", "\\\n  ", ""));
    }

    private interface Line {
        String of(int number, Place place);
    }

    private static String each(List<Place> places, Line line) {
        return IntStream.rangeClosed(1, places.size())
                .mapToObj(number -> line.of(number, places.get(number - 1)))
                .collect(Collectors.joining());
    }

    private static String all(int number, Place place, List<Intent> intents) {
        return "all_%d=$(all_of %s %s%s)%n"
                .formatted(
                        number,
                        quoted(place.region()),
                        profile(place),
                        intents.stream()
                                .filter(it -> !place.copy() || VaultSetup.PROVERS.contains(it))
                                .map(it -> " " + quoted(place.login() + "/" + it))
                                .collect(Collectors.joining()));
    }

    private static String read(int number, Place place) {
        return whereWanted(
                number,
                place,
                """
                  secret_@N@=$(stored "$all_@N@" @NAME@)
                  accessor_@N@=$(printf '%s' "$secret_@N@" | field secret_id_accessor)
                """,
                "accessor_@N@=$accessor_1");
    }

    /** The old value only tells whether there is a secret; it shows in no process list either. */
    private static String write(int number, Place place) {
        return whereWanted(
                number,
                place,
                """
                  store @REGION@ @NAME@ "${secret_@N@:+exists}" @PROFILE@ & store_@N@=$!
                """,
                "store_@N@=''");
    }

    /** {@code lines} for each login; in the copy's account for the provers' only. */
    private static String whereWanted(int number, Place place, String lines, String otherwise) {
        return filled(
                number,
                place,
                place.copy()
                        ? "  case $intent in\n    @PROVERS@)\n"
                                + lines.indent(4).stripTrailing()
                                + " ;;\n    *) "
                                + otherwise
                                + " ;;\n  esac\n"
                        : lines);
    }

    private static String written(int number, Place place) {
        return filled(
                number,
                place,
                place.copy()
                        ? """
                          if [ -n "$store_@N@" ]; then
                            wait "$store_@N@"
                            say "credentials of $name: stored in the copy's account"
                          fi
                        """
                        : """
                          wait "$store_@N@"
                          say "credentials of $name: stored in" @REGION@
                        """);
    }

    private static String filled(int number, Place place, String text) {
        return text.replace("@PROVERS@", PROVERS)
                .replace("@N@", Integer.toString(number))
                .replace("@REGION@", quoted(place.region()))
                .replace("@PROFILE@", profile(place))
                .replace("@NAME@", quoted(place.login()) + "/\"$intent\"");
    }

    private static String profile(Place place) {
        return place.copy() ? "\"$profile\"" : "''";
    }

    private static String same(int places) {
        return places == 1
                ? "true"
                : IntStream.rangeClosed(2, places)
                        .mapToObj("[ \"$accessor_1\" = \"$accessor_%d\" ]"::formatted)
                        .collect(Collectors.joining(" && "));
    }

    private static String quoted(String text) {
        return "'" + plain(text) + "'";
    }

    /** As it stands between single quotes. */
    private static String plain(String text) {
        return text.replace("'", "'\\''");
    }
}

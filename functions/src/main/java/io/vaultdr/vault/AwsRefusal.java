package io.vaultdr.vault;

import java.util.Locale;

/**
 * Why a server refuses a login by a signed request, told by the words that Vault's AWS auth method
 * answers with. The answer itself quotes ARNs and headers and is never passed on.
 */
enum AwsRefusal {
    /** The header is missing, isn't signed, or holds another id. */
    SERVER_ID(
            "the server id isn't the mount's",
            "Set login.aws.serverId to the mount's iam_server_id_header_value and deploy"),
    /** STS found the time of the signature too far off. */
    CLOCK(
            "STS says that the signature has expired or isn't valid yet",
            "Compare the server's clock with the true time; a login may be fifteen minutes old"),
    /** STS found no fault but the signature's. */
    SIGNATURE(
            "STS doesn't accept the signature",
            "Set use_sts_region_from_client=true in the mount's config/client, or sts_endpoint and"
                    + " sts_region to this function's region"),
    /** The server got no answer of STS. */
    STS_UNREACHED(
            "the server didn't reach STS",
            "Let the nodes reach sts.REGION.amazonaws.com of this function's region"),
    /** The function's role isn't among those that the role is bound to. */
    PRINCIPAL(
            "the role is bound to other ARNs than this function's",
            "Run ./vault-dr setup for this pair and apply what it prints"),
    /** There is no such role, or it isn't for signed requests. */
    ROLE(
            "the auth method has no such role",
            "Run ./vault-dr setup for this pair and apply what it prints"),
    /** Anything else. */
    OTHER(
            "it is refused",
            "Check that login.aws.mount is an AWS auth method, read the server's log for the"
                    + " reason, then run ./vault-dr setup for this pair and apply what it prints");

    private final String seen;
    private final String next;

    AwsRefusal(String seen, String next) {
        this.seen = seen;
        this.next = next;
    }

    /** What was seen. */
    String seen() {
        return seen;
    }

    /** What to do. */
    String next() {
        return next;
    }

    /** What {@code answer} is about. */
    static AwsRefusal of(String answer) {
        String words = answer.toLowerCase(Locale.ROOT);
        if (words.contains("x-vault-aws-iam-server-id")) {
            return SERVER_ID;
        }
        if (words.contains("signature expired") || words.contains("signature not yet current")) {
            return CLOCK;
        }
        if (words.contains("from sts") || words.contains("signaturedoesnotmatch")) {
            return SIGNATURE;
        }
        if (words.contains("error making upstream request")) {
            return STS_UNREACHED;
        }
        if (words.contains("does not belong to the role")) {
            return PRINCIPAL;
        }
        if (words.contains("entry for role") || words.contains("not allowed for role")) {
            return ROLE;
        }
        return OTHER;
    }
}

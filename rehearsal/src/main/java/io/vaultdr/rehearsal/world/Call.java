package io.vaultdr.rehearsal.world;

import java.util.List;
import java.util.Map;

/**
 * One AWS call as the gateway sees it.
 *
 * @param region of the SigV4 credential scope; empty for an anonymous call
 * @param service the scope's service, such as {@code dynamodb}, {@code states}, {@code monitoring}
 * @param operation the SDK's name for it; empty where the caller doesn't say
 * @param function the calling function's name; empty for other callers
 * @param caller the access key id, which names one JVM of a function
 */
public record Call(
        String region, String service, String operation, String function, String caller) {
    /** An IAM action that a call needs, on a resource, with the context keys of the call. */
    record Need(String action, String resource, Map<String, List<String>> context) {}

    @Override
    public String toString() {
        return service + ":" + operation + " (" + region + ")";
    }
}

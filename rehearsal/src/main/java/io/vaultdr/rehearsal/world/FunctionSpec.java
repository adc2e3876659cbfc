package io.vaultdr.rehearsal.world;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A function as its template describes it.
 *
 * @param arn without a qualifier
 * @param code the zip
 * @param version the published version's number; "$LATEST" where none is
 * @param aliases alias to version
 * @param reserved how many may run at once
 * @param retries how often a failed asynchronous invocation is repeated
 * @param onFailure the topic that an asynchronous invocation goes to which failed for good
 */
public record FunctionSpec(
        String name,
        String region,
        String arn,
        Path code,
        String handler,
        int memoryMegabytes,
        Duration timeout,
        Map<String, String> environment,
        String version,
        Map<String, String> aliases,
        OptionalInt reserved,
        int retries,
        Optional<String> onFailure) {
    /** What an invocation by this qualifier runs: a version's number. */
    Optional<String> resolve(String qualifier) {
        if (qualifier.isEmpty() || qualifier.equals("$LATEST")) {
            return Optional.of("$LATEST");
        }
        return qualifier.equals(version)
                ? Optional.of(version)
                : Optional.ofNullable(aliases.get(qualifier));
    }

    /** The access key id by which the gateway knows its calls, up to the JVM's number. */
    String caller() {
        return name + "@" + region;
    }
}

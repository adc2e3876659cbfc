package io.vaultdr.handler;

import io.vaultdr.model.Failure;

import java.util.Map;

/**
 * What Retention is asked for. Anything that isn't exactly one of the forms is refused: a misspelt
 * dry run must not delete.
 */
sealed interface RetentionInput {
    /**
     * A scheduled EventBridge event, or {@code {"dryRun": true}}, which only says what would go.
     */
    record Run(boolean dryRun) implements RetentionInput {}

    /** {@code {"dryRun": true, "report": true}}: a dry run that tells what it looked at. */
    record Look() implements RetentionInput {}

    /** {@code {"accept": {"by": "ada", "reason": "the CI mount was retired"}}}: ends a freeze. */
    record Accept(String by, String reason) implements RetentionInput {}

    /** Reads {@code event}. */
    static RetentionInput of(Map<String, Object> event) {
        if (event.containsKey("detail-type") && event.containsKey("time")) {
            return new Run(false);
        }
        if (event.equals(Map.of("dryRun", true, "report", true))) {
            return new Look();
        }
        if (event.size() == 1) {
            if (event.get("dryRun") instanceof Boolean dryRun) {
                return new Run(dryRun);
            }
            if (event.get("accept") instanceof Map<?, ?> accept
                    && accept.get("by") instanceof String by
                    && accept.get("reason") instanceof String reason
                    && !by.isBlank()
                    && !reason.isBlank()) {
                return new Accept(by, reason);
            }
        }
        throw new Failure.Terminal(
                "read the event",
                "it has " + event.keySet(),
                "Send a scheduled event such as events/retention.json, {\"dryRun\":true}, or"
                        + " {\"accept\":{\"by\":NAME,\"reason\":TEXT}}");
    }
}

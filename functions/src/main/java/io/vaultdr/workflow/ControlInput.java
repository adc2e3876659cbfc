package io.vaultdr.workflow;

import io.vaultdr.model.Epoch;
import io.vaultdr.workflow.Control.Action;
import io.vaultdr.workflow.Control.Request;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a person sent: a request, or what is wrong with it.
 *
 * @param request what can be asked of {@link Control}; without mistakes only
 * @param mistakes what was read and what is expected
 */
public record ControlInput(Request request, List<String> mistakes) {
    /**
     * Reads {@code {"action":…,"by":…,"reason":…,"epoch":…}}.
     *
     * @param calledAs the ARN that the function was called by, which ends with its alias
     */
    public static ControlInput of(Map<String, ?> event, String calledAs, String requestId) {
        List<String> mistakes = new ArrayList<>();
        Optional<Action> action =
                Arrays.stream(Action.values())
                        .filter(a -> a.name().toLowerCase(Locale.ROOT).equals(event.get("action")))
                        .findFirst();
        if (action.isEmpty()) {
            mistakes.add("action: read " + shown(event.get("action")) + ", expected " + actions());
        }
        Optional<Epoch> epoch = Optional.empty();
        if (event.get("epoch") instanceof Number number && number.longValue() >= 1) {
            epoch = Optional.of(new Epoch(number.longValue()));
        } else if (event.get("epoch") != null) {
            mistakes.add(
                    "epoch: read " + shown(event.get("epoch")) + ", expected an incident's number");
        }
        return new ControlInput(
                new Request(
                        action.orElse(Action.STATUS),
                        text(event, "by", mistakes),
                        text(event, "reason", mistakes),
                        epoch,
                        calledAs.endsWith(":operate"),
                        requestId),
                List.copyOf(mistakes));
    }

    /** The answer of {@code control}, or what is wrong with the request. */
    public Record act(Control control) {
        return mistakes.isEmpty()
                ? control.act(request)
                : control.invalid(request.action(), String.join("; ", mistakes));
    }

    private static String text(Map<String, ?> event, String key, List<String> mistakes) {
        Object value = event.get(key);
        if (value == null || value instanceof String) {
            return value == null ? "" : ((String) value).strip();
        }
        mistakes.add(key + ": read " + shown(value) + ", expected text");
        return "";
    }

    private static String shown(@Nullable Object value) {
        String text = String.valueOf(value);
        return text.length() > 40 ? text.substring(0, 40) + "…" : text;
    }

    private static String actions() {
        return Arrays.stream(Action.values())
                .map(a -> a.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
    }
}

package io.vaultdr.infra.iam;

import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyStatement;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Some actions on some resources.
 *
 * @param conditions operator → key → value
 * @param wildcard why a resource has to be a pattern; needed where one is
 */
public record Allowance(
        List<String> actions,
        List<String> resources,
        Map<String, Map<String, Object>> conditions,
        Optional<String> wildcard) {

    public Allowance {
        if (wildcard.isEmpty() && resources.stream().anyMatch(resource -> resource.contains("*"))) {
            throw new IllegalArgumentException(
                    resources + ": expected a reason, since a pattern allows more than one thing");
        }
    }

    /** Allows {@code actions} on exactly one resource. */
    public static Allowance on(String resource, String... actions) {
        return new Allowance(List.of(actions), List.of(resource), Map.of(), Optional.empty());
    }

    /** Allows {@code actions} on all that a pattern matches, for the reason given. */
    public static Allowance onPattern(String pattern, String reason, String... actions) {
        return new Allowance(List.of(actions), List.of(pattern), Map.of(), Optional.of(reason));
    }

    /** The same, only when {@code key} is {@code value}. */
    public Allowance when(String operator, String key, Object value) {
        Map<String, Map<String, Object>> all = new LinkedHashMap<>(conditions);
        Map<String, Object> keys = new LinkedHashMap<>(all.getOrDefault(operator, Map.of()));
        keys.put(key, value);
        all.put(operator, keys);
        return new Allowance(actions, resources, all, wildcard);
    }

    /** The statement of a policy document. */
    public PolicyStatement statement() {
        return PolicyStatement.Builder.create()
                .effect(Effect.ALLOW)
                .actions(actions)
                .resources(resources)
                .conditions(conditions)
                .build();
    }
}

package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.iam.Allowance;

import software.amazon.awscdk.services.iam.IPrincipal;
import software.amazon.awscdk.services.iam.PolicyDocument;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Makes roles whose whole policy stands in them, each wildcard with its reason. */
public final class Roles {
    private Roles() {}

    /** A role that {@code service} takes on. */
    public static Role role(
            Construct scope, String id, String name, String service, List<Allowance> allowances) {
        return role(scope, id, name, new ServicePrincipal(service), allowances, List.of());
    }

    /** A role that {@code who} takes on. */
    static Role role(
            Construct scope, String id, String name, IPrincipal who, List<Allowance> allowances) {
        return role(scope, id, name, who, allowances, List.of());
    }

    /** The same, less what {@code denials} deny. */
    static Role role(
            Construct scope,
            String id,
            String name,
            IPrincipal who,
            List<Allowance> allowances,
            List<PolicyStatement> denials) {
        Role role =
                Role.Builder.create(scope, id)
                        .roleName(name)
                        .assumedBy(who)
                        .inlinePolicies(
                                Map.of(
                                        "intent",
                                        PolicyDocument.Builder.create()
                                                .statements(
                                                        Stream.concat(
                                                                        allowances.stream()
                                                                                .map(
                                                                                        Allowance
                                                                                                ::statement),
                                                                        denials.stream())
                                                                .toList())
                                                .minimize(false)
                                                .build()))
                        .build();
        Map<String, List<String>> reasons = new LinkedHashMap<>();
        for (Allowance allowance : allowances) {
            allowance
                    .wildcard()
                    .ifPresent(
                            reason ->
                                    reasons.computeIfAbsent(reason, key -> new ArrayList<>())
                                            .addAll(allowance.resources()));
        }
        reasons.forEach(
                (reason, resources) ->
                        NagSuppressions.addResourceSuppressions(
                                role,
                                List.of(
                                        NagPackSuppression.builder()
                                                .id("AwsSolutions-IAM5")
                                                .reason(reason)
                                                .appliesTo(
                                                        resources.stream()
                                                                .distinct()
                                                                .map(it -> "Resource::" + it)
                                                                .toList())
                                                .build())));
        return role;
    }
}

package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;

import software.amazon.awscdk.services.ssm.ParameterTier;
import software.amazon.awscdk.services.ssm.StringParameter;
import software.constructs.Construct;

/** Puts settings and certificate authorities where functions of the region read them. */
public final class Certificates {
    private static final int STANDARD = 4_096;

    private Certificates() {}

    /** Writes {@code <path>/home} and {@code <path>/dr}, each where the pair names one. */
    public static void create(Construct scope, String path, Pair pair) {
        pair.home().ca().ifPresent(pem -> parameter(scope, "HomeCa", path + "/home", pem));
        pair.dr()
                .flatMap(Cluster::ca)
                .ifPresent(pem -> parameter(scope, "DrCa", path + "/dr", pem));
    }

    /** Writes one parameter, in the tier that its length needs. */
    public static void parameter(Construct scope, String id, String name, String value) {
        StringParameter.Builder.create(scope, id)
                .parameterName(name)
                .stringValue(value)
                .tier(value.length() > STANDARD ? ParameterTier.ADVANCED : ParameterTier.STANDARD)
                .build();
    }
}

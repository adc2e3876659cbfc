package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.ProofSettings;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a person has to do for a copy in another account, beyond what the stacks make.
 *
 * @param pair whose copy it is
 * @param account the copy's
 * @param needs a sentence each
 */
public record CopyAccount(PairId pair, String account, List<String> needs) {

    /** Of each pair that has its copy in another account. */
    public static List<CopyAccount> of(Config config) {
        return config.pairs().stream()
                .map(Pair::there)
                .filter(Pair::inCopyAccount)
                .map(pair -> of(config, pair))
                .toList();
    }

    private static CopyAccount of(Config config, Pair there) {
        Names names = PairSettingsMaker.names(config, there);
        String account = names.account();
        String region = there.proofRegion();
        List<String> needs = new ArrayList<>();
        String stacks =
                names.of("copy-" + region)
                        + (there.proving().isPresent() ? " and " + names.of("proof") : "");
        needs.add(
                "bootstrap it for the CDK in "
                        + region
                        + ", and deploy "
                        + stacks
                        + " signed in to it; the others signed in to "
                        + config.account().orElseThrow());
        config.boundary(account)
                .filter(arn -> arn.contains(account))
                .ifPresent(arn -> needs.add("the policy " + arn + ", which bounds its roles"));
        there.proving().ifPresent(prove -> proof(names, region, prove, needs));
        return new CopyAccount(there.id(), account, List.copyOf(needs));
    }

    private static void proof(Names names, String region, Prove prove, List<String> needs) {
        String account = names.account();
        needs.add(
                "COPY_PROFILE, a profile of it, for what 'vault-dr setup' prints: the logins of"
                        + " the prover are stored there, and no other");
        if (Stream.concat(Stream.of(prove.server()), prove.sealPlugin().stream())
                .map(Artifact::bucket)
                .anyMatch(Optional::isEmpty)) {
            needs.add("the server's programs in s3://" + names.servers(region));
        }
        ProofSettings.Seal seal = prove.seal();
        if (seal.keyId().isPresent()) {
            needs.add("the secret " + seal.key() + ", which holds the seal's key");
        } else if (!seal.key().contains(":" + account + ":")) {
            List<String> provers =
                    new ArrayList<>(List.of(names.roleArn(region, "prove-snapshot")));
            if (!prove.recover().isEmpty()) {
                provers.add(names.roleArn(region, "restore-secret"));
            }
            needs.add(
                    "in the policy of "
                            + seal.key()
                            + ": kms:DescribeKey, kms:Encrypt and kms:Decrypt for "
                            + String.join(" and ", provers)
                            + ", and kms:DescribeKey for "
                            + names.roleArn(region, "freshness-check"));
        }
        prove.network()
                .ifPresent(
                        network ->
                                needs.add(
                                        "the network "
                                                + network.vpc()
                                                + " of prove.network, which has to be its own"));
    }
}

package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Config.Snapshots;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.ProofSettings.Seal;

import java.time.Duration;
import java.util.Optional;

/** Reads how snapshots are proven. */
final class ProveReader {
    static final String EXPECTED =
            "{ server: { key, sha256 }, seal: { kms: ARN } }: what restores each snapshot";

    private ProveReader() {}

    static Prove read(Section section, Snapshots snapshots) {
        Optional<Network> network = section.section("network").map(ConfigFile::finishedNetwork);
        Prove prove =
                new Prove(
                        artifact(section.requiredSection("server", "{ key, sha256 }")),
                        section.section("sealPlugin").map(ProveReader::artifact),
                        section.optional("licence", Kind.SECRET_NAME),
                        seal(section.requiredSection("seal", "{ kms: ARN } or { static: … }")),
                        section.optional(
                                        "maxAge",
                                        Kind.duration(Duration.ofMinutes(1), Duration.ofDays(7)))
                                .orElse(snapshots.every().multipliedBy(4)),
                        section.optional("prefer", Kind.oneOf(Prefer.class)).orElse(Prefer.PROVEN),
                        network,
                        section.list("recover", Kind.KV_PATH));
        if (prove.maxAge().compareTo(snapshots.every()) <= 0) {
            section.mistake(
                    "maxAge",
                    Kind.written(prove.maxAge()),
                    "more than snapshots.every, " + Kind.written(snapshots.every()));
        }
        section.finish();
        return prove;
    }

    /** A file in a bucket. */
    static Artifact artifact(Section section) {
        Artifact artifact =
                new Artifact(
                        section.optional("bucket", Kind.BUCKET),
                        section.required("key", Kind.OBJECT_KEY),
                        section.required("sha256", Kind.SHA256));
        section.finish();
        return artifact;
    }

    private static Seal seal(Section section) {
        Optional<Section> fixed = section.section("static");
        if (fixed.isPresent() == section.has("kms")) {
            section.mistake(
                    "",
                    fixed.isPresent() ? "both kms and static" : "neither kms nor static",
                    "one of them: what unseals the cluster");
        }
        Seal seal =
                fixed.map(
                                it -> {
                                    Seal read =
                                            new Seal(
                                                    "static",
                                                    it.required("key", Kind.SECRET_NAME),
                                                    Optional.of(it.required("id", Kind.TEXT)));
                                    it.finish();
                                    return read;
                                })
                        .orElseGet(
                                () ->
                                        new Seal(
                                                "awskms",
                                                section.optional("kms", Kind.KMS_KEY).orElse(""),
                                                Optional.empty()));
        section.finish();
        return seal;
    }

    /** What is only wrong together with something else of {@code pair}. */
    static void together(Pair pair, Prove prove, Section section) {
        boolean fixed = prove.seal().keyId().isPresent();
        if (fixed && pair.edition() == Edition.VAULT) {
            section.mistake("prove.seal", "static", "kms: only OpenBao has a static seal");
        }
        if (prove.licence().isPresent() && pair.edition() == Edition.OPENBAO) {
            section.mistake(
                    "prove.licence",
                    prove.licence().orElseThrow(),
                    "none: OpenBao takes no licence");
        }
        String region = ":" + pair.proofRegion() + ":";
        if (!fixed && !prove.seal().key().contains(region)) {
            section.mistake(
                    "prove.seal",
                    "'" + prove.seal().key() + "'",
                    "the key in "
                            + pair.proofRegion()
                            + ", where snapshots are proven: a replica of the multi-Region key");
        }
        long largest = pair.snapshots().largest();
        if (pair.stage().compareTo(Stage.PROVEN) >= 0
                && !Sizes.provable(largest)
                && (pair.stage() == Stage.PROVEN || prove.prefer() == Prefer.PROVEN)) {
            section.mistake(
                    "snapshots.largest",
                    Kind.written(largest),
                    "at most "
                            + Kind.written(Sizes.LARGEST_PROVABLE)
                            + ", since a proof takes three times that and 0.5 GiB of a function's"
                            + " 10,240 MiB: not provable here."
                            + (pair.stage() == Stage.PROVEN
                                    ? " Stay on the rung backup and restore by hand from time to"
                                            + " time (docs/runbooks/restore-by-hand.md)"
                                    : " With prove.prefer: less-loss the newest checked snapshot is"
                                            + " promoted, and none counts as proven"));
        }
    }
}

package io.vaultdr.infra.iam;

import io.vaultdr.infra.config.Names;
import io.vaultdr.runtime.ProofSettings;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Restores a snapshot into a server of its own: reads snapshots and binaries, opens the seal, logs
 * in to the copy. The prover writes proofs; what recovers writes what was asked for instead.
 */
public record ProvePolicy(Names names, ProofSettings proof, boolean recovers) implements Policy {
    @Override
    public List<Allowance> allowances() {
        return Stream.of(
                        objects(),
                        List.of(
                                Allowances.key(
                                        names,
                                        proof.bucket().region(),
                                        "kms:Decrypt",
                                        "kms:GenerateDataKey")),
                        seal(),
                        secrets())
                .flatMap(List::stream)
                .toList();
    }

    /** What it does with S3. */
    public List<Allowance> objects() {
        List<Allowance> all = new ArrayList<>();
        String snapshots = "arn:aws:s3:::" + proof.bucket().name();
        all.add(Allowance.on(snapshots, "s3:ListBucket"));
        all.add(Allowances.objects(snapshots + "/*", "s3:GetObject"));
        if (recovers) {
            proof.recovered()
                    .ifPresent(
                            it ->
                                    all.add(
                                            Allowances.objects(
                                                    "arn:aws:s3:::" + it.name() + "/recovered/*",
                                                    "s3:PutObject")));
        } else {
            all.add(Allowances.objects(snapshots + "/proofs/*", "s3:PutObject"));
        }
        Stream.concat(Stream.of(proof.server()), proof.sealPlugin().stream())
                .forEach(
                        it -> {
                            String bucket = "arn:aws:s3:::" + it.bucket();
                            // Without it a file that isn't there is answered like a forbidden one.
                            all.add(Allowance.on(bucket, "s3:ListBucket"));
                            all.add(Allowance.on(bucket + "/" + it.key(), "s3:GetObject"));
                        });
        return all.stream().distinct().toList();
    }

    /** What it does with KMS, as the copy's seal. */
    public List<Allowance> seal() {
        return proof.seal().keyId().isPresent()
                ? List.of()
                : List.of(
                        Allowance.on(
                                proof.seal().key(),
                                "kms:DescribeKey",
                                "kms:Encrypt",
                                "kms:Decrypt"));
    }

    /** What it reads from Secrets Manager. */
    public List<Allowance> secrets() {
        String region = proof.bucket().region();
        List<Allowance> all = new ArrayList<>();
        all.add(Allowances.login(names, region, proof.login(), recovers ? "recover" : "prove"));
        proof.licence().ifPresent(it -> all.add(Allowances.secret(names, region, it)));
        proof.seal()
                .keyId()
                .ifPresent(it -> all.add(Allowances.secret(names, region, proof.seal().key())));
        return all;
    }
}

package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.S3Proofs;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Proofs and claims in a bucket. */
class S3ProofsIT {
    private static final String ID = "payments-20261123T170000Z";
    private static final Instant NOW = Instant.parse("2026-11-23T17:00:30Z");
    private static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket("us-east-1", "snapshots", Moto.ACCOUNT);
    private static Moto moto;

    @BeforeAll
    static void start() {
        moto = Moto.start();
        moto.clients().s3(BUCKET.region()).createBucket(it -> it.bucket(BUCKET.name()));
    }

    @AfterAll
    static void stop() {
        moto.close();
    }

    private static S3Proofs at(Instant now) {
        return new S3Proofs(moto.clients(), BUCKET, Clock.fixed(now, ZoneOffset.UTC));
    }

    private static Proof proof(String id, Optional<Proof.Reason> reason) {
        return new Proof(
                id,
                new PairId("payments"),
                reason.isPresent() ? Proof.Verdict.REFUTED : Proof.Verdict.PROVEN,
                reason,
                reason.map(Enum::name),
                NOW,
                BUCKET.region(),
                1,
                Optional.of("ab"),
                Optional.of(7L),
                Optional.of("cluster"),
                Optional.of(new Proof.Counts(1, 2, 3, 4, 5, true)),
                List.of(new Proof.StageTime("restore", Duration.ofMillis(1500))),
                Optional.of(1L << 30),
                Map.of("server", "2.7.2"));
    }

    @Test
    void whatIsWrittenIsReadAndTheNewestProvenOneIsFound() {
        Proof damaged =
                proof("payments-20261123T180000Z", Optional.of(Proof.Reason.ARCHIVE_DAMAGED));
        Proof proven = proof(ID, Optional.empty());
        at(NOW).write(damaged);
        at(NOW).write(proven);

        assertEquals(Optional.of(damaged), at(NOW).of(damaged.id()));
        assertEquals(Optional.empty(), at(NOW).of("payments-20261123T190000Z"));
        assertEquals(
                Optional.of(proven),
                at(NOW).newestProven(List.of("payments-20261123T190000Z", damaged.id(), ID)));
        assertEquals(Optional.empty(), at(NOW).newestProven(List.of(damaged.id())));
    }

    @Test
    void anObjectThatIsNoProofIsTerminalAndNamed() {
        String id = "payments-20261123T160000Z";
        moto.clients()
                .s3(BUCKET.region())
                .putObject(
                        it -> it.bucket(BUCKET.name()).key(Proof.key(id)),
                        RequestBody.fromString("[]"));
        Failure failure = assertThrows(Failure.Terminal.class, () -> at(NOW).of(id));
        assertTrue(failure.toString().contains("proofs/" + id + ".proof.json"));
    }

    @Test
    void oneRunHoldsAClaimUntilItIsReleasedOrItsTimeIsOver() {
        Instant until = NOW.plusSeconds(60);
        String id = "payments-20261123T150000Z";
        ProofClaims.Claim one = at(NOW).claim(id, "one", until).orElseThrow();
        assertEquals(1, one.attempts());
        assertEquals(Optional.empty(), at(NOW).claim(id, "two", until));

        // The first one was stopped in the middle, and so is the second.
        Instant later = until.plusSeconds(1);
        ProofClaims.Claim two = at(later).claim(id, "two", later.plusSeconds(60)).orElseThrow();
        assertEquals(List.of(2, 1), List.of(two.attempts(), two.abandoned()));
        // It comes back late, and ends nothing that isn't its own any more.
        at(later).release(one);
        assertEquals(Optional.empty(), at(later).claim(id, "three", later.plusSeconds(60)));

        at(later).release(two);
        ProofClaims.Claim three = at(later).claim(id, "three", later.plusSeconds(60)).orElseThrow();
        assertEquals(List.of(3, 0), List.of(three.attempts(), three.abandoned()));
    }
}
